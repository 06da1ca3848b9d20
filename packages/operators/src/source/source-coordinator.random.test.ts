import { nullLogger, SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { sourceOperator } from '../builtin/source-operator.ts'
import type { OperatorCoordinator } from '../contract/operator-coordinator.ts'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import { type HarnessSnapshot, OperatorHarness } from '../harness/operator-harness.ts'
import { WatermarkStrategy } from '../watermark/watermark-strategy.ts'
import type { ReaderOutput, Source } from './source.ts'
import type { SplitEnumerator, SplitEnumeratorContext } from './split-enumerator.ts'

interface RangeSplit {
  readonly next: number
  readonly end: number
}
const SPLIT_SIZE = 10

/** Finds ranges of numbers one by one, as a source that discovers; hands them out when asked. */
class RangeEnumerator
  implements SplitEnumerator<RangeSplit, { pending: readonly RangeSplit[]; found: number }>
{
  readonly #context: SplitEnumeratorContext<RangeSplit>
  readonly #asking: number[] = []
  readonly #splits: number
  #pending: RangeSplit[]
  #found: number

  constructor(
    context: SplitEnumeratorContext<RangeSplit>,
    splits: number,
    state: { pending: readonly RangeSplit[]; found: number } = { pending: [], found: 0 },
  ) {
    this.#context = context
    this.#splits = splits
    this.#pending = [...state.pending]
    this.#found = state.found
  }

  start(): void {}

  /** The test's discovery. */
  discover(): void {
    if (this.#found === this.#splits) return
    const next = this.#found++ * SPLIT_SIZE
    this.#pending.push({ next, end: next + SPLIT_SIZE })
    this.#serve()
  }

  handleSplitRequest(subtaskIndex: number): void {
    this.#asking.push(subtaskIndex)
    this.#serve()
  }

  addSplitsBack(splits: readonly RangeSplit[]): void {
    this.#pending.unshift(...splits)
    this.#serve()
  }

  addReader(subtaskIndex: number): void {
    const index = this.#asking.indexOf(subtaskIndex)
    if (index >= 0) this.#asking.splice(index, 1)
  }

  snapshotState() {
    return { pending: [...this.#pending], found: this.#found }
  }

  #serve(): void {
    const registered = new Set(this.#context.registeredReaders())
    for (const subtask of this.#asking.splice(0)) {
      if (!registered.has(subtask)) continue
      const split = this.#pending.shift()
      if (split !== undefined) this.#context.assignSplit(split, subtask)
      else if (this.#found === this.#splits) this.#context.signalNoMoreSplits(subtask)
      else this.#asking.push(subtask)
    }
  }
}

function rangeSource(
  splits: number,
  made: (enumerator: RangeEnumerator) => void,
): Source<number, RangeSplit> {
  const keep = (enumerator: RangeEnumerator): RangeEnumerator => {
    made(enumerator)
    return enumerator
  }
  return {
    boundedness: 'bounded',
    kind: 'ranges',
    createEnumerator: context => keep(new RangeEnumerator(context, splits)),
    restoreEnumerator: (context, state) => keep(new RangeEnumerator(context, splits, state as never)),
    createReader: () => {
      let queue: RangeSplit[] = []
      return {
        addSplits: added => {
          queue = [...queue, ...added]
        },
        poll: (max: number, output: ReaderOutput<number>) => {
          const [split, ...rest] = queue
          if (split === undefined) return 'end'
          const end = Math.min(split.end, split.next + max)
          for (let i = split.next; i < end; i++) output.collect(i)
          queue = end === split.end ? rest : [{ next: end, end: split.end }, ...rest]
          return queue.length === 0 ? 'end' : 'more'
        },
        snapshot: () => queue,
      }
    },
  }
}

interface Checkpoint {
  readonly id: number
  readonly coordinator: Uint8Array
  /** By subtask: its snapshot, and what it had emitted. */
  readonly readers: Map<number, { readonly snapshot: HarnessSnapshot; readonly records: readonly number[] }>
}

/** One subtask: its attempt, and the messages on their way in both directions, in order. */
interface Subtask {
  harness: OperatorHarness
  attempt: number
  toReader: ({ readonly event: Uint8Array } | { readonly trigger: number })[]
  toCoordinator: { readonly attempt: number; readonly event: Uint8Array }[]
  taken: number
  ended: boolean
}

/**
 * Plays the JobMaster: delivers in order but at any time, loses what concerns dead attempts, restarts single subtasks
 * and everything, takes checkpoints of which some never complete. A restart takes back the records that a subtask emitted
 * after the checkpoint: what is left at the end has to be everything, once.
 */
class World {
  readonly #random: SeededRandom
  readonly #factory: OperatorFactory
  #enumerator: RangeEnumerator | undefined
  #coordinator!: OperatorCoordinator
  /** Of the attempts that the coordinator can reach. */
  #attempts = new Map<number, number>()
  #subtasks: Subtask[] = []
  #completed: Checkpoint | undefined
  #pending: Checkpoint | undefined
  #nextCheckpoint = 1
  #records: number[][] = []
  failures = 0
  rescalings = 0

  constructor(seed: number, splits: number) {
    this.#random = new SeededRandom(seed)
    this.#factory = sourceOperator(
      rangeSource(splits, enumerator => {
        this.#enumerator = enumerator
      }),
      WatermarkStrategy.noWatermarks<number>(),
    )
  }

  async start(parallelism: number): Promise<void> {
    this.#records = Array.from({ length: parallelism }, () => [])
    this.#subtasks = Array.from({ length: parallelism }, () => undefined as unknown as Subtask)
    await this.#restartAll()
  }

  get done(): boolean {
    return this.#subtasks.every(subtask => subtask.ended)
  }

  get result(): readonly number[] {
    return this.#records.flat()
  }

  async step(): Promise<void> {
    const index = Math.floor(this.#random.next() * this.#subtasks.length)
    const subtask = this.#subtasks[index] as Subtask
    const dice = this.#random.next()
    if (dice < 0.1) this.#enumerator?.discover()
    else if (dice < 0.35) this.#deliverToCoordinator(index, subtask)
    else if (dice < 0.6) await this.#deliverToReader(index, subtask)
    else if (dice < 0.9) this.#emit(index, subtask)
    else if (dice < 0.96) this.#checkpoint()
    else if (dice < 0.985) await this.#restartOne(index)
    else if (dice < 0.993) {
      this.failures++
      await this.#restartAll()
    }
  }

  #deliverToCoordinator(index: number, { toCoordinator, attempt }: Subtask): void {
    const mail = toCoordinator.shift()
    if (mail === undefined || mail.attempt !== attempt) return
    this.#attempts.set(index, attempt)
    this.#coordinator.handleEvent(index, mail.event)
  }

  async #deliverToReader(index: number, subtask: Subtask): Promise<void> {
    const mail = subtask.toReader.shift()
    if (mail === undefined) return
    if ('event' in mail) {
      subtask.harness.operator.handleOperatorEvent?.(mail.event)
      return
    }
    const snapshot = await subtask.harness.snapshot(mail.trigger)
    const pending = this.#pending
    if (pending?.id !== mail.trigger) return
    pending.readers.set(index, { snapshot, records: [...(this.#records[index] ?? [])] })
    if (pending.readers.size < this.#subtasks.length) return
    this.#pending = undefined
    this.#completed = pending
    await this.#coordinator.notifyCheckpointComplete?.(pending.id)
  }

  #emit(index: number, subtask: Subtask): void {
    if (subtask.ended) return
    const answer = subtask.harness.operator.source?.emit(1 + Math.floor(this.#random.next() * 7))
    const fresh = subtask.harness.emitted.slice(subtask.taken).map(({ value }) => value as number)
    subtask.taken = subtask.harness.emitted.length
    this.#records[index]?.push(...fresh)
    if (answer === 'end') subtask.ended = true
  }

  #checkpoint(): void {
    if (this.#random.next() < 0.2) this.#pending = undefined
    if (this.#pending !== undefined) return
    const id = this.#nextCheckpoint++
    const coordinator = this.#coordinator.snapshot(id)
    this.#pending = { id, coordinator, readers: new Map() }
    for (const subtask of this.#subtasks) subtask.toReader.push({ trigger: id })
  }

  /** One region: the others go on. The records of a subtask are undone with it. */
  async #restartOne(index: number): Promise<void> {
    this.failures++
    this.#pending = undefined
    for (const subtask of this.#subtasks) {
      subtask.toReader = subtask.toReader.filter(mail => 'event' in mail)
    }
    this.#attempts.delete(index)
    this.#coordinator.subtaskReset(index, this.#completed?.id)
    await this.#deploy(index)
  }

  /** With another parallelism, at times: the splits of all readers are dealt out anew. */
  #rescale(): void {
    const completed = this.#completed
    if (completed === undefined || this.#random.next() < 0.5) return
    const parallelism = 1 + Math.floor(this.#random.next() * 4)
    const old = [...completed.readers.values()]
    const first = old[0]?.snapshot as HarnessSnapshot
    const splits = old.flatMap(({ snapshot }) => snapshot.operator['SourceReaderState'] ?? [])
    const readers: Checkpoint['readers'] = new Map()
    for (let i = 0; i < parallelism; i++) {
      const own = { SourceReaderState: splits.filter((_, n) => n % parallelism === i) }
      const snapshot = { ...first, operator: { ...first.operator, ...own } }
      readers.set(i, { snapshot, records: i === 0 ? old.flatMap(({ records }) => records) : [] })
    }
    this.#completed = { ...completed, readers }
    const attempt = Math.max(...this.#subtasks.map(subtask => subtask.attempt))
    const [any] = this.#subtasks
    this.#subtasks = Array.from({ length: parallelism }, () => ({ ...(any as Subtask), attempt }))
    this.#records = Array.from({ length: parallelism }, () => [])
    this.rescalings++
  }

  async #restartAll(): Promise<void> {
    this.#pending = undefined
    this.#attempts = new Map()
    this.#rescale()
    await this.#coordinator?.close?.()
    const completed = this.#completed
    const run = this.#factory.coordinator?.create(
      {
        operatorId: 'op' as never,
        operatorName: 'ranges',
        jobId: 'job',
        jobName: 'job',
        parallelism: this.#subtasks.length,
        restoredCheckpointId: completed?.id,
        sendEvent: (index, event) => {
          const subtask = this.#subtasks[index]
          if (subtask !== undefined && this.#attempts.get(index) === subtask.attempt)
            subtask.toReader.push({ event })
        },
        fail: error => {
          throw error
        },
        logger: nullLogger,
      },
      completed?.coordinator,
    )
    this.#coordinator = run as OperatorCoordinator
    await this.#coordinator.start()
    for (let index = 0; index < this.#subtasks.length; index++) await this.#deploy(index)
  }

  async #deploy(index: number): Promise<void> {
    const checkpoint = this.#completed?.readers.get(index)
    const restored = checkpoint?.snapshot
    const harness = new OperatorHarness(this.#factory, {
      subtaskIndex: index,
      parallelism: this.#subtasks.length,
      ...(restored !== undefined && { restored }),
    })
    const attempt = (this.#subtasks[index]?.attempt ?? 0) + 1
    const subtask: Subtask = {
      harness,
      attempt,
      toReader: [],
      toCoordinator: [],
      taken: 0,
      ended: false,
    }
    const events = harness.operatorEvents
    // The harness collects events; they go on in the order in which they were sent.
    events.push = (...added: Uint8Array[]) => {
      for (const event of added) subtask.toCoordinator.push({ attempt, event })
      return added.length
    }
    this.#subtasks[index] = subtask
    this.#records[index] = [...(checkpoint?.records ?? [])]
    await harness.open()
  }
}

test('no split is lost or read twice, whatever is lost on the way', { timeout: 60_000 }, async () => {
  let failures = 0
  let rescalings = 0
  for (let seed = 1; seed <= 300; seed++) {
    const splits = 12
    const world = new World(seed, splits)
    await world.start(1 + (seed % 4))
    let steps = 0
    while (!world.done && steps++ < 20_000) await world.step()
    failures += world.failures
    rescalings += world.rescalings
    expect(world.done, `seed ${seed}`).toBe(true)
    const expected = Array.from({ length: splits * SPLIT_SIZE }, (_, i) => i)
    expect(
      [...world.result].sort((a, b) => a - b),
      `seed ${seed}`,
    ).toEqual(expected)
  }
  expect(failures).toBeGreaterThan(500)
  expect(rescalings).toBeGreaterThan(50)
})
