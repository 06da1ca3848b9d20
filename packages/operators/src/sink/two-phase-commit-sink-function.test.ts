import { SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { sinkOperator } from '../builtin/sink-operator.ts'
import { type HarnessSnapshot, OperatorHarness } from '../harness/operator-harness.ts'
import { TwoPhaseCommitSinkFunction } from './two-phase-commit-sink-function.ts'

/** A database with two-phase commit, beyond all attempts. */
class Database {
  readonly rows: number[] = []
  readonly transactions = new Map<
    number,
    { rows: number[]; state: 'open' | 'prepared' | 'committed' | 'aborted' }
  >()
  calls: string[] = []
  next = 0
  /** At which of the calls that follow it breaks; undefined: never. */
  breakAt: number | undefined

  step(name: string): void {
    this.calls.push(name)
    if (this.breakAt !== undefined && this.breakAt-- === 0) throw new Error(`${name} broke`)
  }
}

class Rows extends TwoPhaseCommitSinkFunction<number, { readonly id: number }> {
  readonly #database: Database

  constructor(database: Database) {
    super()
    this.#database = database
  }

  async beginTransaction() {
    this.#database.step('begin')
    const id = this.#database.next++
    this.#database.transactions.set(id, { rows: [], state: 'open' })
    return { id }
  }

  invoke({ id }: { readonly id: number }, value: number): void {
    const transaction = this.#database.transactions.get(id)
    if (transaction?.state !== 'open') throw new Error(`write to a ${transaction?.state} transaction`)
    transaction.rows.push(value)
  }

  async preCommit({ id }: { readonly id: number }) {
    this.#database.step('preCommit')
    const transaction = this.#database.transactions.get(id)
    if (transaction !== undefined) transaction.state = 'prepared'
  }

  async commit({ id }: { readonly id: number }) {
    this.#database.step('commit')
    const transaction = this.#database.transactions.get(id)
    if (transaction?.state === 'committed') return
    if (transaction?.state !== 'prepared') throw new Error(`commit of a ${transaction?.state} transaction`)
    transaction.state = 'committed'
    this.#database.rows.push(...transaction.rows)
  }

  async abort({ id }: { readonly id: number }) {
    this.#database.step('abort')
    const transaction = this.#database.transactions.get(id)
    if (transaction?.state === 'open') transaction.state = 'aborted'
    if (transaction?.state === 'committed') throw new Error('abort of a committed transaction')
  }
}

test('each row is committed once, wherever it breaks', async () => {
  let broken = 0
  for (let seed = 1; seed <= 200; seed++) {
    const random = new SeededRandom(seed)
    const database = new Database()
    let completed: { readonly snapshot: HarnessSnapshot; readonly position: number } | undefined
    let checkpointId = 0
    const attempt = async (): Promise<void> => {
      let position = completed?.position ?? 0
      const harness = new OperatorHarness(sinkOperator(new Rows(database)), {
        ...(completed && { restored: completed.snapshot }),
      })
      try {
        await harness.open()
        while (position < 40) {
          for (let i = 0; i < 5; i++) harness.push(position++)
          const snapshot = await harness.snapshot(++checkpointId)
          // Some checkpoints are never complete.
          if (position < 40 && random.next() < 0.3) continue
          completed = { snapshot, position }
          await harness.operator.notifyCheckpointComplete?.(checkpointId)
        }
        await harness.operator.endInput?.(0)
        completed = { snapshot: await harness.snapshot(++checkpointId), position }
        await harness.operator.notifyCheckpointComplete?.(checkpointId)
        await harness.operator.finish?.()
      } finally {
        const { breakAt } = database
        database.breakAt = undefined
        // A process that was killed does not come to this.
        if (random.next() < 0.5) await harness.operator.close?.()
        database.breakAt = breakAt
      }
    }
    for (let tries = 0; tries < 20; tries++) {
      database.breakAt = tries < 6 ? Math.floor(random.next() * 25) : undefined
      try {
        await attempt()
        break
      } catch {
        broken++
      }
    }
    expect(
      [...database.rows].sort((a, b) => a - b),
      `seed ${seed}: ${database.calls.join(' ')}`,
    ).toEqual(Array.from({ length: 40 }, (_, i) => i))
  }
  expect(broken).toBeGreaterThan(200)
})
