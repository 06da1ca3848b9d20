import { randomInt } from 'node:crypto'
import { SeededRandom } from '@flink-ts/common'
import { patchAmbient } from './ambient.ts'
import { PatchSet } from './patch-set.ts'
import type { EarlierOutcome, ReplayRecord } from './program.ts'
import { recordEnvironment } from './recorded-environment.ts'

/** Readings of the clock that are kept; replays see the last one again afterwards. */
const MAX_CLOCK_READINGS = 10_000

/** Notes what main sees until `execute`, where it runs first. */
export interface PlanningRecorder {
  /**
   * What a replay of the `executeIndex`-th call needs. Ends the recording: the first call puts Date, Math.random,
   * node:crypto and process.env back, so that nothing after `execute` is observed or slowed.
   */
  record(
    executeIndex: number,
    earlierResults: readonly (EarlierOutcome | null)[],
    captures: Readonly<Record<string, string>>,
  ): ReplayRecord
  /** Runs `action` with the real clock, randomness and environment: what it reads is not recorded. */
  unobserved<T>(action: () => T): T
  /** Ends the recording without a record: main ended or failed before `execute`. Idempotent. */
  stop(): void
}

/**
 * Starts the recording in this thread; to be called before the program is evaluated. Replaces Date, performance.now,
 * Math.random, the random functions of node:crypto and process.env until {@link PlanningRecorder.record}. Only one
 * recorder at a time. Reading a secret from the environment throws `jobgraph.secret-in-environment` at that line.
 * @param args arguments of the program, without node and script
 */
export function startPlanningRecorder(options: {
  readonly args: readonly string[]
  readonly randomSeed?: number
}): PlanningRecorder {
  const randomSeed = options.randomSeed ?? randomInt(2 ** 32)
  const random = new SeededRandom(randomSeed)
  const clockReadings: number[] = []
  const performanceReadings: number[] = []
  const environment: Record<string, string | undefined> = {}
  let suspended = 0
  const patches = new PatchSet()
  const observing = (): boolean => patches.active && suspended === 0

  const now = Date.now
  const performanceNow = performance.now.bind(performance)
  const keep = (readings: number[], value: number): number => {
    if (readings.length < MAX_CLOCK_READINGS) readings.push(value)
    return value
  }
  patchAmbient(patches, {
    epochMs: () => keep(clockReadings, now()),
    performanceMs: () => keep(performanceReadings, performanceNow()),
    random,
    observing,
  })
  patches.replace(process, 'env', recordEnvironment(process.env, environment, observing))
  patches.activate()

  const stop = (): void => {
    if (patches.active) patches.lift()
  }
  return {
    stop,
    record(_executeIndex, earlierResults, captures) {
      stop()
      return {
        args: [...options.args],
        randomSeed,
        workingDirectory: process.cwd(),
        clockReadings: [...clockReadings],
        performanceReadings: [...performanceReadings],
        environment: { ...environment },
        captures: { ...captures },
        earlierResults: [...earlierResults],
      }
    },
    unobserved(action) {
      suspended++
      try {
        return action()
      } finally {
        suspended--
      }
    },
  }
}
