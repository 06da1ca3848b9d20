import { type Clock, type Configuration, newId, type Random } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'
import { resolveRestartStrategy } from '../failover/restart-strategy.ts'
import { JobManagerOptionKeys } from '../jobmanager-options.ts'
import { JobScheduler } from './job-scheduler.ts'

/**
 * The scheduler of a job, as the cluster is configured.
 * @param startedAt of the job, if another leader has begun it
 */
export function createScheduler(
  graph: JobGraph,
  configuration: Configuration,
  dependencies: { readonly clock: Clock; readonly random: Random },
  startedAt?: number,
): JobScheduler {
  return new JobScheduler(
    {
      graph,
      graphId: newId(dependencies.random),
      startedAt,
      restartStrategy: resolveRestartStrategy(graph, configuration),
      slotRequestTimeoutMs: configuration.get(JobManagerOptionKeys.slotRequestTimeout),
      slotIdleTimeoutMs: configuration.get(JobManagerOptionKeys.slotIdleTimeout),
      maxFailureEntries: configuration.get(JobManagerOptionKeys.exceptionHistorySize),
    },
    dependencies.clock.now(),
    dependencies,
  )
}
