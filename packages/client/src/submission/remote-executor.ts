import { type FlinkError, isFlinkError } from '@flink-ts/common'
import type {
  JobClient,
  JobExecutionResult,
  JobGraph,
  PipelineExecutor,
  ReplayRecord,
} from '@flink-ts/jobgraph'
import { PayloadTooLarge } from '@flink-ts/rpc'
import { ProgramTooLarge } from '../errors.ts'
import type { ClusterClient } from './cluster-client.ts'

/** What is submitted, and whether to wait for it. */
export interface RemoteExecutorOptions {
  /** The program, bundled. */
  readonly bundleFile: string
  /**
   * What replay of the `executeIndex`-th `execute` (from 0) has to see; called when that `execute` is. The results of
   * earlier ones are filled in by the executor.
   */
  readonly record: (executeIndex: number) => ReplayRecord
  /** `execute` answers when the job is accepted, not when it is over. */
  readonly detached: boolean
  /** Called when the cluster has accepted a job. */
  readonly onSubmitted?: (jobId: string, graph: JobGraph) => void
}

/** `execute` of programs that run under `flink run`: submits each job with the bundle that replays it. */
export class RemoteExecutor implements PipelineExecutor {
  readonly #options: RemoteExecutorOptions
  readonly #cluster: ClusterClient
  readonly #results: (JobExecutionResult | undefined)[] = []
  #executes = 0
  #bundle: Promise<string> | undefined

  constructor(options: RemoteExecutorOptions, dependencies: { readonly cluster: ClusterClient }) {
    this.#options = options
    this.#cluster = dependencies.cluster
  }

  async execute(graph: JobGraph): Promise<JobClient> {
    const executeIndex = this.#executes++
    const record = {
      ...this.#options.record(executeIndex),
      earlierResults: this.#earlierResults(executeIndex),
    }
    const submit = async (): Promise<JobClient> => {
      const blobKey = await this.#uploaded()
      return this.#cluster.submitJob({
        graph,
        program: { code: { type: 'bundle', blobKey }, record, executeIndex },
      })
    }
    let job: JobClient
    try {
      job = await submit()
    } catch (error) {
      if (PayloadTooLarge.is(error)) {
        const { maxBytes } = (error as FlinkError).data as { maxBytes: number }
        const [results, captures] = [record.earlierResults.length, Object.keys(record.captures)]
        throw ProgramTooLarge({ job: graph.name, maxBytes, results, captures }, error)
      }
      // The JobManager may have been started anew since the upload, with an empty store.
      if (!isFlinkError(error) || error.code !== 'dispatcher.bundle-missing') throw error
      this.#bundle = undefined
      job = await submit()
    }
    this.#options.onSubmitted?.(job.jobId, graph)
    return this.#options.detached
      ? this.#detached(job, graph, executeIndex)
      : this.#recording(job, executeIndex)
  }

  /** Results of the jobs before, up to the first that is not over: replay settles their `execute` with them. */
  #earlierResults(executeIndex: number): readonly JobExecutionResult[] {
    const results: JobExecutionResult[] = []
    for (const result of this.#results.slice(0, executeIndex)) {
      if (result === undefined) break
      results.push(result)
    }
    return results
  }

  #uploaded(): Promise<string> {
    if (this.#bundle !== undefined) return this.#bundle
    const bundle = this.#cluster.uploadBundle(this.#options.bundleFile)
    this.#bundle = bundle
    // A failed upload is not remembered; whoever waits for it gets its error.
    bundle.catch(() => {
      if (this.#bundle === bundle) this.#bundle = undefined
    })
    return bundle
  }

  #recording(job: JobClient, executeIndex: number): JobClient {
    return {
      ...job,
      result: async () => {
        const result = await job.result()
        this.#results[executeIndex] = result
        return result
      },
    }
  }

  /** Nobody waits for a detached job: its result is what is known when it is accepted. */
  #detached(job: JobClient, graph: JobGraph, executeIndex: number): JobClient {
    const result = { jobId: job.jobId, jobName: graph.name, netRuntimeMs: -1, accumulators: {} }
    this.#results[executeIndex] = result
    return {
      ...job,
      result: () => Promise.resolve(result),
    }
  }
}
