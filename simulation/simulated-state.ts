import type { OperatorId } from '@flink-ts/common'
import type { CheckpointTrigger } from '@flink-ts/gateways'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import type {
  KeyedStateHandle,
  OperatorStateHandle,
  OperatorSubtaskState,
  StateLocation,
} from '@flink-ts/state'
import type { Verdict } from './violation.ts'
import { KEYS, keyOf, type SimulatedRecord, type Transaction } from './workload.ts'

/** Writes one file of a snapshot. */
type WriteFile = (purpose: string, content: string) => Promise<StateLocation>

/** Deltas on top of a full snapshot, at most. */
const LONGEST_CHAIN = 3

/** What one operator keeps: positions of splits in sources, counts by key and open transactions in sinks. */
export interface SimulatedState {
  /** Takes over what a snapshot has for this subtask. */
  restore(handles: OperatorSubtaskState, read: (location: StateLocation) => Promise<string>): Promise<void>
  /** Fixes the state now and writes it. */
  snapshot(
    trigger: Pick<CheckpointTrigger, 'checkpointId' | 'savepoint'>,
    write: WriteFile,
  ): Promise<OperatorSubtaskState>
  /** Later snapshots may refer to files of this checkpoint. */
  completed(checkpointId: number): void
}

/** Next record of each split. */
export class SourceState implements SimulatedState {
  /** Splits of this subtask with the next sequence number. */
  readonly positions = new Map<number, number>()
  readonly #operatorId: OperatorId
  readonly #owns: (split: number) => boolean

  constructor(operatorId: OperatorId, splits: number, owns: (split: number) => boolean) {
    this.#operatorId = operatorId
    this.#owns = owns
    for (let split = 0; split < splits; split++) if (owns(split)) this.positions.set(split, 0)
  }

  async restore(
    { operator }: OperatorSubtaskState,
    read: (location: StateLocation) => Promise<string>,
  ): Promise<void> {
    for (const { location } of operator) {
      for (const [split, next] of JSON.parse(await read(location)) as [number, number][]) {
        if (this.#owns(split)) this.positions.set(split, next)
      }
    }
  }

  async snapshot(_: unknown, write: WriteFile): Promise<OperatorSubtaskState> {
    const location = await write('positions', JSON.stringify([...this.positions]))
    return { operatorId: this.#operatorId, keyed: [], operator: [union('positions', location)] }
  }

  /** Splits that are read now, with the next sequence number. */
  get due(): ReadonlyMap<number, number> {
    return this.positions
  }

  completed(): void {}
}

/** Splits that a coordinator has handed out to this subtask, one after the other. */
export class ReaderState implements SimulatedState {
  /** Splits of this subtask that are not read to their end, with the next sequence number. */
  readonly positions = new Map<number, number>()
  /** Splits that an event brings. */
  splitsOf: (event: Uint8Array) => readonly number[] = () => []
  readonly #operatorId: OperatorId

  constructor(operatorId: OperatorId) {
    this.#operatorId = operatorId
  }

  /** As {@link SourceState.due}: those read to their end need no place any more. */
  get due(): ReadonlyMap<number, number> {
    return new Map([...this.positions].slice(0, 1))
  }

  receive(event: Uint8Array): void {
    for (const split of this.splitsOf(event)) this.positions.set(split, 0)
  }

  async restore(
    { operator }: OperatorSubtaskState,
    read: (location: StateLocation) => Promise<string>,
  ): Promise<void> {
    for (const { states, location } of operator) {
      const stored = JSON.parse(await read(location)) as [number, number][]
      for (const at of states.flatMap(({ offsets }) => offsets)) this.positions.set(...stored[at]!)
    }
  }

  async snapshot(_: unknown, write: WriteFile): Promise<OperatorSubtaskState> {
    const positions = [...this.positions]
    const location = await write('positions', JSON.stringify(positions))
    const offsets = positions.map((_split, at) => at)
    const states = [{ name: 'splits', mode: 'split' as const, offsets }]
    return { operatorId: this.#operatorId, keyed: [], operator: [{ states, location }] }
  }

  completed(): void {}
}

/** For each key and split the next record that belongs there. */
type Counts = Map<string, number>

/** Counts by key, incrementally snapshotted, and the transactions that no checkpoint has covered yet. */
export class SinkState implements SimulatedState {
  readonly #operatorId: OperatorId
  readonly #attempt: string
  readonly #range: { readonly start: number; readonly end: number }
  readonly #keyed: boolean
  readonly #verdict: Verdict
  #counts: Counts = new Map()
  #changed = new Set<string>()
  #open: SimulatedRecord[] = []
  /** Covered by a checkpoint that is not complete yet, oldest first. */
  #pending: Transaction[] = []
  /** Handles of the latest snapshots by checkpoint id, and what has changed since. */
  readonly #written = new Map<number, { handles: readonly KeyedStateHandle[]; changedSince: Set<string> }>()
  #base: number | undefined

  /** @param place `keyed`: by key; otherwise the subtask has whole splits, and the number of subtasks never changes */
  constructor(
    operatorId: OperatorId,
    place: {
      readonly keyed: boolean
      readonly index: number
      readonly parallelism: number
      readonly attempt: string
    },
    verdict: Verdict,
  ) {
    this.#operatorId = operatorId
    this.#attempt = place.attempt
    this.#keyed = place.keyed
    this.#range = keyGroupRangeOf(KEYS, place.parallelism, place.index)
    this.#verdict = verdict
  }

  /** A record comes. Its predecessor of the same key and split must have come, and itself never before. */
  add(record: SimulatedRecord): void {
    const { split, sequence } = record
    const key = this.#keyed ? keyOf(record) : this.#range.start
    const name = `${key}/${split}`
    const first = this.#keyed ? firstSequence(key, split) : 0
    const expected = this.#counts.get(name) ?? first
    if (sequence !== expected) {
      const invariant = sequence < expected ? 'applied-twice' : 'record-lost'
      const what = `${this.#attempt} got record ${split}/${sequence} of key ${key}, where ${split}/${expected} is next`
      this.#verdict.violated(invariant, what)
    }
    this.#counts.set(name, sequence + (this.#keyed ? KEYS : 1))
    this.#changed.add(name)
    for (const { changedSince } of this.#written.values()) changedSince.add(name)
    this.#open.push(record)
  }

  /** Transactions that checkpoint `checkpointId` covers: to be committed, and forgotten. */
  covered(checkpointId: number): readonly Transaction[] {
    const covered = this.#pending.filter(transaction => transaction.checkpointId <= checkpointId)
    this.#pending = this.#pending.filter(transaction => transaction.checkpointId > checkpointId)
    return covered
  }

  async restore(
    { keyed, operator }: OperatorSubtaskState,
    read: (location: StateLocation) => Promise<string>,
  ): Promise<void> {
    for (const { location } of keyed) {
      for (const [name, next] of JSON.parse(await read(location)) as [string, number][]) {
        const key = Number(name.split('/')[0])
        if (key >= this.#range.start && key <= this.#range.end) this.#counts.set(name, next)
      }
    }
    for (const { location } of operator) {
      this.#pending.push(...(JSON.parse(await read(location)) as Transaction[]))
    }
  }

  async snapshot(
    { checkpointId, savepoint }: Pick<CheckpointTrigger, 'checkpointId' | 'savepoint'>,
    write: WriteFile,
  ): Promise<OperatorSubtaskState> {
    if (this.#open.length > 0) {
      const name = `${this.#attempt}/${checkpointId}`
      this.#pending.push({ name, checkpointId, records: this.#open })
      this.#open = []
    }
    const base = savepoint === false && this.#base !== undefined ? this.#written.get(this.#base) : undefined
    const earlier = base !== undefined && base.handles.length < LONGEST_CHAIN ? base.handles : []
    const names = earlier.length > 0 ? [...base!.changedSince] : [...this.#counts.keys()]
    const content = JSON.stringify(names.map(name => [name, this.#counts.get(name)]))
    const needsFile = names.length > 0 || earlier.length === 0
    const changedSince = new Set<string>()
    const written = { handles: earlier, changedSince }
    if (savepoint === false) this.#written.set(checkpointId, written)
    const [changes, transactions] = await Promise.all([
      needsFile ? write('counts', content) : undefined,
      write('transactions', JSON.stringify(this.#pending)),
    ])
    const handles = earlier.map(handle => ({ ...handle }))
    if (changes !== undefined) handles.push(this.#handle(changes, earlier.length > 0))
    written.handles = handles.map(handle => ({ ...handle, origin: handle.origin ?? checkpointId }))
    return { operatorId: this.#operatorId, keyed: handles, operator: [union('transactions', transactions)] }
  }

  completed(checkpointId: number): void {
    if (!this.#written.has(checkpointId)) return
    this.#base = checkpointId
    for (const id of this.#written.keys()) if (id < checkpointId) this.#written.delete(id)
  }

  #handle(location: StateLocation, isDelta: boolean): KeyedStateHandle {
    const { start, end } = this.#range
    const offsets = Array.from({ length: end - start + 1 }, () => 0)
    return { keyGroupRange: this.#range, offsets, location, ...(isDelta && { delta: 'changes' }) }
  }
}

/** An operator without state. */
export class NoState implements SimulatedState {
  readonly #operatorId: OperatorId

  constructor(operatorId: OperatorId) {
    this.#operatorId = operatorId
  }

  async restore(): Promise<void> {}

  async snapshot(): Promise<OperatorSubtaskState> {
    return { operatorId: this.#operatorId, keyed: [], operator: [] }
  }

  completed(): void {}
}

function union(name: string, location: StateLocation): OperatorStateHandle {
  return { states: [{ name, mode: 'union', offsets: [0] }], location }
}

function firstSequence(key: number, split: number): number {
  return (((key - split * 3) % KEYS) + KEYS) % KEYS
}
