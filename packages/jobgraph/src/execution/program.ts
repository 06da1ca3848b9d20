import type { SerializedError } from '@flink-ts/common'

/**
 * What replay needs to see what the planning run saw (DESIGN 3.3, 3.4). Plain data; travels with the job.
 */
export interface ReplayRecord {
  /** Arguments of the program, without node and script. */
  readonly args: readonly string[]
  /** Seed of Math.random and of random ids until `execute`. */
  readonly randomSeed: number
  /** What the clock showed, call by call, until `execute`; the last value is repeated. */
  readonly clockReadings: readonly number[]
  /** The same for `performance.now()`; absent: it was not asked. */
  readonly performanceReadings?: readonly number[]
  /** Working directory of the planning run: what relative paths in main mean. Absent: that of the process. */
  readonly workingDirectory?: string
  /** The configuration of the planning context: parallelism and chaining follow from it. Absent: none. */
  readonly configuration?: Readonly<Record<string, string>>
  /** Environment variables that main read; undefined: it was not set. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Values of `env.capture(name, ...)` by name; each encoded by the state value serializer, base64. */
  readonly captures: Readonly<Record<string, string>>
  /** Outcomes of earlier `execute` calls of the same program, in order; null: main had not heard of it. */
  readonly earlierResults: readonly (EarlierOutcome | null)[]
}

/** What main heard of an earlier job: its result, or its failure. `submitted`: the job was accepted. */
export type EarlierOutcome =
  | JobExecutionResult
  | { readonly error: SerializedError; readonly submitted: boolean }

/** Where the code of a job is. */
export type ProgramCode =
  /** A bundle in the blob store, by SHA-256 in hex. */
  | { readonly type: 'bundle'; readonly blobKey: string }
  /** A module on this machine: jobs on the in-process MiniCluster. */
  | { readonly type: 'module'; readonly url: string }

/** How to run `main` again: code and what it must see. */
export interface ReplayableProgram {
  readonly code: ProgramCode
  readonly record: ReplayRecord
  /** Which `execute` call of the program this job is, from 0. */
  readonly executeIndex: number
}

/** What is left of a job that has finished. */
export interface JobExecutionResult {
  readonly jobId: string
  readonly jobName: string
  readonly netRuntimeMs: number
  /** Merged over all subtasks. */
  readonly accumulators: Readonly<Record<string, unknown>>
}

/** Where a job is in its life, by Flink's names. */
export type JobStatus =
  | 'INITIALIZING'
  | 'CREATED'
  | 'RUNNING'
  | 'FAILING'
  | 'FAILED'
  | 'CANCELLING'
  | 'CANCELED'
  | 'FINISHED'
  | 'RESTARTING'
  | 'SUSPENDED'
  | 'RECONCILING'

/** Job states after which nothing more happens. */
export function isGloballyTerminal(status: JobStatus): boolean {
  return status === 'FAILED' || status === 'CANCELED' || status === 'FINISHED'
}
