import { setTimeout as realSetTimeout } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { Deferred, deserializeError, SeededRandom } from '@flink-ts/common'
import { ClockLoopInReplay, ExecuteNotReached } from '../errors.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import { patchAmbient } from './ambient.ts'
import { capturedValue } from './captures.ts'
import { muteConsole } from './mute-console.ts'
import { PatchSet } from './patch-set.ts'
import { type ExecutionContext, installExecutionContext, type JobClient } from './pipeline-executor.ts'
import { preloadRuntime } from './preload-runtime.ts'
import type { EarlierOutcome, ReplayableProgram, ReplayRecord } from './program.ts'
import { guardSideEffects } from './side-effect-guard.ts'

/** Reads of a clock that stands still after which main is taken to wait for it in a loop. */
const MAX_READS_OF_STANDING_CLOCK = 5_000_000

export interface ReplayOptions {
  /** The module to evaluate: of an extracted bundle, or on this machine. */
  readonly moduleUrl: string
  /** Program-wide defaults if the record has none of its own. */
  readonly configuration?: Readonly<Record<string, string>>
  /** How long main may take until it calls `execute`. */
  readonly timeoutMs?: number
  /** How long after main's last line an asynchronous part of it may still call `execute`. */
  readonly graceMs?: number
}

/** What main handed to `execute`. */
export interface Replay {
  readonly graph: JobGraph
  /** The graph with its functions; opaque here (operators' `ReplayedProgram`). */
  readonly program: unknown
}

// One replay at a time in a thread: it replaces globals. Owner: this module, one instance for each thread.
let lastReplay: Promise<unknown> = Promise.resolve()
const evaluated = new Map<string, number>()

/**
 * Evaluates main again and resolves with what it hands to its `executeIndex`-th `execute`, which never settles. Until
 * then main sees the recorded clock, random numbers, environment and arguments, and side effects throw
 * `jobgraph.side-effect-in-replay`; then everything is put back, so that operators run in the real world.
 *
 * Rejects with main's own error if it fails, with `jobgraph.execute-not-reached` if it ends or hangs before. Switches
 * source maps on for the thread, for the sake of the user's stack. Concurrent calls of a thread run one after another.
 */
export function replayProgram(program: ReplayableProgram, options: ReplayOptions): Promise<Replay> {
  const replay = lastReplay.then(() => runReplay(program, options))
  // Only the order matters here; the caller handles the failure.
  lastReplay = replay.catch(() => undefined)
  return replay
}

async function runReplay(program: ReplayableProgram, options: ReplayOptions): Promise<Replay> {
  const { record, executeIndex } = program
  const outcome = new Deferred<Replay>()
  let reached = 0
  const patches = new PatchSet()

  const context: ExecutionContext = {
    mode: 'replay',
    args: record.args,
    configuration: record.configuration ?? options.configuration ?? {},
    capture: <T>(name: string) => capturedValue(record.captures, name) as T,
    executor: {
      execute(graph, functions) {
        const index = reached++
        if (index < executeIndex) return earlierJob(graph, record.earlierResults[index] ?? null)
        if (index === executeIndex) {
          patches.lift()
          outcome.resolve({ graph, program: functions })
        }
        return new Promise(() => {})
      },
    },
  }

  process.setSourceMapsEnabled(true)
  const failed = (error: unknown): void => outcome.reject(error)
  // A floating promise of main that rejects is a failure of main, not of the thread.
  process.on('unhandledRejection', failed)
  const timer = { handle: undefined as NodeJS.Timeout | undefined }
  const giveUpAfter = (waitedMs: number): void => {
    clearTimeout(timer.handle)
    const giveUp = (): void => outcome.reject(ExecuteNotReached({ executeIndex, reached, waitedMs }))
    timer.handle = realSetTimeout(giveUp, waitedMs)
  }

  installExecutionContext(context)
  try {
    await preloadRuntime(options.moduleUrl)
    patchWorld(patches, record, options.moduleUrl)
    patches.activate()
    giveUpAfter(options.timeoutMs ?? 120_000)
    import(freshUrl(options.moduleUrl)).then(() => giveUpAfter(options.graceMs ?? 10_000), failed)
    return await outcome.promise
  } finally {
    clearTimeout(timer.handle)
    process.off('unhandledRejection', failed)
    patches.lift()
  }
}

function patchWorld(patches: PatchSet, record: ReplayRecord, moduleUrl: string): void {
  patchAmbient(patches, {
    epochMs: replayReadings(record.clockReadings, Date.now),
    performanceMs: replayReadings(record.performanceReadings ?? [], () => 0),
    random: new SeededRandom(record.randomSeed),
    observing: () => true,
  })
  patches.replace(process, 'env', { ...record.environment })
  const script = moduleUrl.startsWith('file:') ? fileURLToPath(moduleUrl) : moduleUrl
  patches.replace(process, 'argv', [process.execPath, script, ...record.args])
  const { workingDirectory } = record
  if (workingDirectory !== undefined) patches.wrap(process, 'cwd', () => () => workingDirectory)
  guardSideEffects(patches)
  muteConsole(patches)
}

/** The recorded readings one by one, then the last one again and again. `initially`: if there is none at all. */
function replayReadings(readings: readonly number[], initially: () => number): () => number {
  let next = 0
  let last: number | undefined
  let repeated = 0
  return () => {
    if (next < readings.length) {
      last = readings[next++] as number
      return last
    }
    if (++repeated > MAX_READS_OF_STANDING_CLOCK) throw ClockLoopInReplay({ reads: next + repeated })
    last ??= initially()
    return last
  }
}

/** An earlier job of the same program, which is over with the recorded outcome. Rejects if it was refused. */
async function earlierJob(graph: JobGraph, outcome: EarlierOutcome | null): Promise<JobClient> {
  const failure = outcome !== null && 'error' in outcome ? outcome : undefined
  if (failure?.submitted === false) throw deserializeError(failure.error)
  return {
    jobId: outcome !== null && 'jobId' in outcome ? outcome.jobId : graph.jobId,
    status: () => Promise.resolve(failure === undefined ? 'FINISHED' : 'FAILED'),
    cancel: () => Promise.resolve(),
    // Where they went is not recorded: nothing of the job may depend on it.
    triggerSavepoint: () => Promise.resolve(''),
    stopWithSavepoint: () => Promise.resolve(''),
    result: async () => {
      // Main went on without awaiting it.
      if (outcome === null) return new Promise(() => {})
      if ('error' in outcome) throw deserializeError(outcome.error)
      return outcome
    },
  }
}

/** Modules are evaluated once for each URL: a second replay in a thread needs another one. */
function freshUrl(url: string): string {
  const count = evaluated.get(url) ?? 0
  evaluated.set(url, count + 1)
  if (count === 0) return url
  const fresh = new URL(url)
  fresh.searchParams.set('replay', String(count))
  return fresh.href
}
