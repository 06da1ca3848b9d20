import type { JobResult } from '@flink-ts/gateways'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'
import { mergeAccumulators } from './accumulators.ts'

/** Outcome of a job that is over. */
export function describeResult(scheduler: JobScheduler): JobResult {
  const { status, rootCause, timestamps, executionGraph } = scheduler
  const { jobId, name } = executionGraph.graph
  if (status !== 'FINISHED') {
    return { status: status === 'CANCELED' ? 'CANCELED' : 'FAILED', jobId, error: rootCause }
  }
  const executions = [...executionGraph.executions()]
  return {
    status,
    result: {
      jobId,
      jobName: name,
      netRuntimeMs: (timestamps.FINISHED ?? 0) - (timestamps.INITIALIZING ?? 0),
      accumulators: mergeAccumulators(executions.map(execution => execution.accumulators)),
    },
  }
}
