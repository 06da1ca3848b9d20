import type { Random } from '@flink-ts/common'

/** What may be done to a cluster. Each ends: what was killed is started again, what was slowed down is released. */
export const FAULT_KINDS = [
  'kill-taskmanager',
  'kill-jobmanager',
  'kill-jobhost',
  'freeze-taskmanager',
  'freeze-jobmanager',
  'freeze-jobhost',
  'cut-control',
  'refuse-control',
  'silence-control',
  'cut-data',
  'silence-data',
  'slow-storage',
  'full-disk',
  'savepoint',
  'rescale',
  'resume',
] as const

export type FaultKind = (typeof FAULT_KINDS)[number]

/** What users do to jobs that run, and no fault. */
export function isOperation(kind: FaultKind): boolean {
  return kind === 'savepoint' || kind === 'rescale' || kind === 'resume'
}

/** One fault of a plan. */
export interface PlannedFault {
  readonly kind: FaultKind
  /** Since the start of the fault before it. */
  readonly pauseMs: number
  /** Whether it may begin although the cluster has not recovered from the one before. */
  readonly overlaps: boolean
  /** Which one of those that are there, as a part of their number: 0 to below 1. */
  readonly victim: number
  /** How long it lasts; of a kill: until it is started again. */
  readonly durationMs: number
}

const DURATIONS_MS: Readonly<Record<FaultKind, readonly [number, number]>> = {
  'kill-taskmanager': [0, 3000],
  'kill-jobmanager': [0, 3000],
  // Nobody starts it but the JobManager.
  'kill-jobhost': [0, 0],
  // Shorter and longer than heartbeat.timeout and the lease.
  'freeze-taskmanager': [300, 9000],
  'freeze-jobmanager': [300, 12_000],
  'freeze-jobhost': [300, 9000],
  'cut-control': [0, 0],
  'refuse-control': [100, 6000],
  'silence-control': [300, 9000],
  'cut-data': [0, 0],
  'silence-data': [300, 9000],
  'slow-storage': [1000, 6000],
  'full-disk': [1000, 5000],
  savepoint: [0, 0],
  rescale: [0, 0],
  resume: [0, 0],
}

/** Endless, and the same for the same numbers of `random`: what happens meanwhile in the cluster changes nothing. */
export function* planFaults(
  random: Random,
  options: { readonly kinds: readonly FaultKind[]; readonly pauseMs: readonly [number, number] },
): Generator<PlannedFault, never> {
  const { kinds, pauseMs } = options
  const between = ([least, most]: readonly [number, number]): number =>
    Math.round(least + random.next() * (most - least))
  for (;;) {
    const kind = kinds[Math.floor(random.next() * kinds.length)] as FaultKind
    yield {
      kind,
      pauseMs: between(pauseMs),
      overlaps: random.next() < 0.3,
      victim: random.next(),
      durationMs: between(DURATIONS_MS[kind]),
    }
  }
}
