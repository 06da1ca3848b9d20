import { Configuration, createLogger, isFlinkError, SystemClock, SystemRandom } from '@flink-ts/common'
import type { JobClient, JobGraph, JobStatus, PipelineExecutor, ReplayRecord } from '@flink-ts/jobgraph'
import { LOG_LEVEL } from '../cluster-options.ts'
import { type LocalWebPage, startLocalWebPage } from './local-web-page.ts'
import { MiniCluster } from './mini-cluster.ts'

export interface LocalExecutorOptions {
  /** The program: evaluated again in every slot thread. */
  readonly mainModuleUrl: string
  readonly args: readonly string[]
  readonly configuration: Readonly<Record<string, string>>
  /** What replays of the `executeIndex`-th `execute` have to see. */
  readonly record: (executeIndex: number) => ReplayRecord
  /** Sees each MiniCluster before its job starts: for tests. */
  readonly onCluster?: (cluster: MiniCluster) => void
}

/**
 * `execute` of `node job.ts`: each job gets a MiniCluster of its own with one TaskManager and as many slots as it
 * needs, which ends with the job, so that the process can end.
 */
export function createLocalExecutor(options: LocalExecutorOptions): PipelineExecutor {
  const configuration = Configuration.of({ 'env.log.level': 'error', ...options.configuration })
  const threadLogger = { level: configuration.get(LOG_LEVEL), file: 2 } as const
  const logger = createLogger(threadLogger)
  let executes = 0
  return {
    async execute(graph, _program, target) {
      const executeIndex = executes++
      const dependencies = { clock: new SystemClock(), random: new SystemRandom(), logger }
      const cluster = await MiniCluster.start(
        { configuration, taskManagers: 1, slots: slotsNeeded(graph), threadLogger },
        dependencies,
      )
      options.onCluster?.(cluster)
      let page: LocalWebPage | undefined
      const close = async (): Promise<void> => {
        await page?.close()
        await cluster.close()
      }
      try {
        if (target?.type === 'local' && target.restPort !== undefined) {
          const { dispatcher } = cluster
          page = await startLocalWebPage(
            { port: target.restPort, configuration },
            { dispatcher, ...dependencies },
          )
          process.stderr.write(`Web page: ${page.url}\n`)
        }
        const job = await cluster.client.submitJob({
          graph,
          program: {
            code: { type: 'module', url: options.mainModuleUrl },
            record: options.record(executeIndex),
            executeIndex,
          },
        })
        return endingWith(job, close)
      } catch (error) {
        await close()
        throw error
      }
    },
  }
}

/** The job with its result held back until the cluster is closed; how it ended is known also then. */
function endingWith(job: JobClient, close: () => Promise<void>): JobClient {
  let ended: JobStatus | undefined
  const result = job.result().then(
    outcome => {
      ended = 'FINISHED'
      return outcome
    },
    (error: unknown) => {
      ended = isFlinkError(error) && error.code === 'client.job-cancelled' ? 'CANCELED' : 'FAILED'
      throw error
    },
  )
  const closed = result.finally(close)
  closed.catch(() => {}) // Handled by whoever asks for the result; nobody may.
  return {
    ...job,
    status: async () => {
      try {
        return ended ?? (await job.status())
      } catch (error) {
        // The cluster may have been closed meanwhile.
        if (ended !== undefined) return ended
        throw error
      }
    },
    cancel: async () => {
      if (ended === undefined) await job.cancel()
    },
    result: () => closed,
  }
}

/** Highest parallelism of each slot sharing group, added up. */
function slotsNeeded(graph: JobGraph): number {
  const groups = new Map<string, number>()
  for (const { slotSharingGroup, parallelism } of graph.vertices) {
    groups.set(slotSharingGroup, Math.max(groups.get(slotSharingGroup) ?? 0, parallelism))
  }
  return [...groups.values()].reduce((sum, slots) => sum + slots, 0)
}
