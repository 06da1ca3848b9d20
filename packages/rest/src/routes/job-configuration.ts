import type { Configuration } from '@flink-ts/common'
import { formatDuration } from '@flink-ts/common'
import type { JobDetails, JobResult } from '@flink-ts/gateways'
import { type RestartStrategy, restartStrategyOf } from '@flink-ts/jobgraph'
import { failureCause } from './serialized-throwable.ts'

/** GET /jobs/:id/config */
export function jobConfiguration({ jobId, name, graph }: JobDetails, configuration: Configuration): object {
  const strategy = graph.restartStrategy ?? restartStrategyOf(configuration)
  return {
    jid: jobId,
    name,
    'execution-config': {
      'execution-mode': 'PIPELINED',
      'restart-strategy': strategyText(strategy),
      'job-parallelism': graph.vertices.reduce((most, vertex) => Math.max(most, vertex.parallelism), 1),
      // Records go from operator to operator of a chain as they are.
      'object-reuse-mode': true,
      'user-config': graph.globalJobParameters,
    },
  }
}

function strategyText(strategy: RestartStrategy | undefined): string {
  switch (strategy?.type) {
    case undefined:
      return 'Cluster level default restart strategy'
    case 'none':
      return 'Restart deactivated.'
    case 'fixed-delay':
      return `Restart with fixed delay (${formatDuration(strategy.delayMs)}). #${strategy.attempts} restart attempts.`
    case 'failure-rate': {
      const { maxFailures, intervalMs, delayMs } = strategy
      const interval = formatDuration(intervalMs)
      return `Failure rate restart with maximum of ${maxFailures} failures within interval ${interval} and fixed delay ${formatDuration(delayMs)}.`
    }
    case 'exponential-delay': {
      const { initialMs, maxMs, multiplier } = strategy
      return `Restart with exponential delay: starting at ${formatDuration(initialMs)}, increasing by ${multiplier}, with maximum ${formatDuration(maxMs)}.`
    }
  }
}

const APPLICATION_STATUS = { FINISHED: 'SUCCEEDED', FAILED: 'FAILED', CANCELED: 'CANCELED' }

/**
 * GET /jobs/:id/execution-result. Values of accumulators are JSON in base64 where Flink has serialized Java objects.
 * @param result undefined: the job is not over
 */
export function executionResult(job: JobDetails, result: JobResult | undefined): object {
  if (result === undefined) return { status: { id: 'IN_PROGRESS' } }
  const error = result.status === 'FINISHED' ? undefined : result.error
  return {
    status: { id: 'COMPLETED' },
    'job-execution-result': {
      id: job.jobId,
      'application-status': APPLICATION_STATUS[result.status],
      'accumulator-results': result.status === 'FINISHED' ? encoded(result.result.accumulators) : {},
      'net-runtime': job.endTime - job.startTime,
      ...(error !== undefined && { 'failure-cause': failureCause(error) }),
    },
  }
}

function encoded(values: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const json = JSON.stringify(value, (_key, item: unknown) =>
        typeof item === 'bigint' ? String(item) : item,
      )
      return [name, Buffer.from(json ?? 'null').toString('base64')]
    }),
  )
}
