import type { JobGraph } from '../graph/job-graph.ts'
import type { JobExecutionResult, JobStatus } from './program.ts'

/** A submitted job, seen from its program. */
export interface JobClient {
  readonly jobId: string
  status(): Promise<JobStatus>
  cancel(): Promise<void>
  /**
   * Takes a savepoint of the running job and answers its URI.
   * @param directory path or URI; undefined: `execution.checkpointing.savepoint-dir` of the cluster
   */
  triggerSavepoint(directory?: string): Promise<string>
  /**
   * Ends the job with a savepoint and answers its URI when the job has ended.
   * @param options `drain`: the input ends first, so that windows and timers fire
   */
  stopWithSavepoint(directory?: string, options?: { readonly drain?: boolean }): Promise<string>
  /** Settles when the job is over; rejects with the job's failure. */
  result(): Promise<JobExecutionResult>
}

/** Where a program wants its jobs to run; absent: where whoever runs the program says. */
export type ExecutionTarget =
  /** A MiniCluster in this process; `restPort`: of its REST API and web page, 0 any free one, absent neither. */
  | { readonly type: 'local'; readonly restPort?: number }
  /** A running cluster: `host:port` of its JobManager; `configuration` says how to reach it. */
  | {
      readonly type: 'remote'
      readonly address: string
      readonly configuration: Readonly<Record<string, string>>
    }

/**
 * What `env.execute` does with a finished graph: a port. Implementations: submission to a cluster (client),
 * in-process MiniCluster (cluster), replay in slot threads and in the job host (never settles).
 */
export interface PipelineExecutor {
  /**
   * @param graph plain data, without job id duplicates: each call makes one job
   * @param program the graph with its functions (the StreamGraph's `ReplayedProgram`); opaque here, used by replay only
   * @param target of the program's own; replays have none of it
   */
  execute(graph: JobGraph, program: unknown, target?: ExecutionTarget): Promise<JobClient>
}

/** What surrounds a running `main`: planning at the client, or replay. Installed before the program is evaluated. */
export interface ExecutionContext {
  readonly mode: 'planning' | 'replay'
  readonly executor: PipelineExecutor
  readonly args: readonly string[]
  /** Program-wide defaults given by whoever runs it (`flink run -p 4 -D ...`): below the environment's own settings. */
  readonly configuration: Readonly<Record<string, string>>
  /** Value for `env.capture`: evaluated once at planning, looked up in replay. */
  capture<T>(name: string, read: () => T): T
}

/**
 * The variable by which `flink dev` hands the settings of its command line to the program that it starts: JSON of Flink's
 * keys and values. Read and removed before main runs.
 */
export const LOCAL_SETTINGS_VARIABLE = 'FLINK_LOCAL_SETTINGS'

const CONTEXT = Symbol.for('flink-ts.execution-context')
const DEFAULT_FACTORY = Symbol.for('flink-ts.default-execution-context')
type Holder = { [CONTEXT]?: ExecutionContext; [DEFAULT_FACTORY]?: () => ExecutionContext }
// A registered symbol on the global object: one context for a thread, whatever copies of this module exist.
const holder = globalThis as Holder

/** Installs the context in which the next program of this thread is evaluated. */
export function installExecutionContext(context: ExecutionContext): void {
  holder[CONTEXT] = context
}

/** Says what `node job.ts` outside any cluster gets; called by the umbrella package. */
export function setDefaultExecutionContext(factory: () => ExecutionContext): void {
  holder[DEFAULT_FACTORY] ??= factory
}

/** The context of this thread. Throws if neither one is installed nor a default is known. */
export function currentExecutionContext(): ExecutionContext {
  const existing = holder[CONTEXT]
  if (existing !== undefined) return existing
  const factory = holder[DEFAULT_FACTORY]
  if (factory === undefined) {
    throw new Error('No execution context: import StreamExecutionEnvironment from the package flink-ts.')
  }
  const made = factory()
  holder[CONTEXT] = made
  return made
}
