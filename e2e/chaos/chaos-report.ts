import { type FaultKind, isOperation, type PlannedFault } from './fault-plan.ts'

/** One fault that was done. Times are milliseconds since the start of the run. */
export interface DoneFault extends PlannedFault {
  readonly atMs: number
  /** Who was hit; undefined: there was nobody, and nothing was done. */
  readonly target: string | undefined
  /**
   * Until all jobs ran again with all tasks: since a kill, or since the end of another fault. Absent: no job ran that was
   * still there afterwards.
   */
  recoveryMs?: number
}

interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** What a chaos run did and found. */
export interface ChaosResult {
  readonly seed: number
  readonly durationMs: number
  readonly jobs: number
  readonly operations: Readonly<Record<string, number>>
  /** Differences, jobs that failed or did not end, clients that hung, processes that ended by themselves. */
  readonly failures: readonly string[]
  readonly leftBehind: readonly string[]
  readonly faults: Readonly<Record<string, number>>
  readonly recoveryMs: Readonly<Record<string, Quantiles>>
  readonly schedule: readonly DoneFault[]
}

/** Collects during a run. */
export class ChaosReport {
  readonly #seed: number
  readonly #say: (line: string) => void
  readonly #startedAt = performance.now()
  readonly #schedule: DoneFault[] = []
  readonly #failures: string[] = []
  readonly #left: string[] = []
  readonly #operations: Record<string, number> = {}
  #jobs = 0

  /** @param say gets a line for each event */
  constructor(seed: number, say: (line: string) => void) {
    this.#seed = seed
    this.#say = say
  }

  get failures(): number {
    return this.#failures.length
  }

  /** Whether all was as it must be, so far. */
  get isRight(): boolean {
    return this.#failures.length + this.#left.length === 0
  }

  get jobs(): number {
    return this.#jobs
  }

  get faults(): number {
    return this.#schedule.filter(({ target }) => target !== undefined).length
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt
  }

  event(line: string): void {
    this.#say(`${(this.elapsedMs / 1000).toFixed(1).padStart(7)} s  ${line}`)
  }

  failed(what: string): void {
    this.#failures.push(what)
    this.event(`FAILED ${what}`)
  }

  left(what: readonly string[]): void {
    this.#left.push(...what)
    for (const one of what) this.event(`left behind: ${one}`)
  }

  finished(job: string): void {
    this.#jobs++
    this.event(`${job}: all rows are right`)
  }

  operated(operation: string): void {
    this.#operations[operation] = (this.#operations[operation] ?? 0) + 1
  }

  /** @returns the entry, to which the recovery is added */
  began(fault: PlannedFault, target: string | undefined): DoneFault {
    const done: DoneFault = { ...fault, atMs: Math.round(this.elapsedMs), target }
    this.#schedule.push(done)
    this.event(
      `${fault.kind} ${target ?? '(nobody there)'}${fault.durationMs > 0 ? `, ${fault.durationMs} ms` : ''}`,
    )
    return done
  }

  result(): ChaosResult {
    const done = this.#schedule.filter(({ target }) => target !== undefined)
    const kinds = [...new Set(done.map(({ kind }) => kind))].sort()
    const times = (kind: FaultKind | undefined): readonly number[] =>
      done.flatMap(fault =>
        (kind === undefined ? !isOperation(fault.kind) : fault.kind === kind) &&
        fault.recoveryMs !== undefined
          ? [fault.recoveryMs]
          : [],
      )
    return {
      seed: this.#seed,
      durationMs: Math.round(this.elapsedMs),
      jobs: this.#jobs,
      operations: this.#operations,
      failures: this.#failures,
      leftBehind: this.#left,
      faults: Object.fromEntries(kinds.map(kind => [kind, done.filter(fault => fault.kind === kind).length])),
      recoveryMs: Object.fromEntries([
        ...kinds.map(kind => [kind, quantiles(times(kind))] as const),
        ['all', quantiles(times(undefined))] as const, // What somebody asked for is no fault to recover from.
      ]),
      schedule: this.#schedule,
    }
  }
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}
