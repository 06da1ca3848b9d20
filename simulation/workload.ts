import type { Verdict } from './violation.ts'

/** Number of key groups, and of keys: the key of a record is its key group. */
export const KEYS = 8

/** One record: number `sequence` of split `split`. */
export interface SimulatedRecord {
  readonly split: number
  readonly sequence: number
}

/** What one job has to process in the end, over all its restarts and resumptions. */
export interface Workload {
  readonly name: string
  readonly splits: number
  readonly recordsPerSplit: number
}

/** The key by which a record is partitioned and counted. */
export function keyOf({ split, sequence }: SimulatedRecord): number {
  return (split * 3 + sequence) % KEYS
}

/** Records of one transaction: what a sink wrote between two checkpoints. */
export interface Transaction {
  readonly name: string
  readonly checkpointId: number
  readonly records: readonly SimulatedRecord[]
}

/** The system that jobs write to: takes transactions, each once, whoever commits it and however often. */
export class Output {
  readonly #verdict: Verdict
  readonly #committed = new Set<string>()
  readonly #records = new Map<string, string>()

  constructor(verdict: Verdict) {
    this.#verdict = verdict
  }

  commit(job: string, { name, records }: Transaction): void {
    if (this.#committed.has(name)) return
    this.#committed.add(name)
    for (const { split, sequence } of records) {
      const record = `${job}/${split}/${sequence}`
      const other = this.#records.get(record)
      if (other === undefined) this.#records.set(record, name)
      else this.#verdict.violated('output-twice', `record ${record} is in ${other} and in ${name}`)
    }
  }

  /** How many records of a job are there. */
  count(job: string): number {
    let count = 0
    for (const record of this.#records.keys()) if (record.startsWith(`${job}/`)) count++
    return count
  }

  /** The job says that it has finished. */
  finished({ name, splits, recordsPerSplit }: Workload): void {
    for (let split = 0; split < splits; split++) {
      for (let sequence = 0; sequence < recordsPerSplit; sequence++) {
        if (this.#records.has(`${name}/${split}/${sequence}`)) continue
        this.#verdict.violated(
          'output-lost',
          `${name} has finished, and record ${split}/${sequence} is not there`,
        )
        return
      }
    }
  }
}
