import type { JobGraph, JobStatus } from '@flink-ts/jobgraph'

/** Whether the completed checkpoints stay when the job is over. */
export function keepsCheckpoints(
  retention: JobGraph['checkpointing']['externalizedRetention'],
  status: JobStatus,
): boolean {
  switch (status) {
    case 'CANCELED':
      return retention === 'retain-on-cancellation'
    case 'FAILED':
      return retention !== 'no-externalized-checkpoints'
    case 'FINISHED':
      return false
    default:
      // Suspended: whoever goes on with the job needs them.
      return true
  }
}
