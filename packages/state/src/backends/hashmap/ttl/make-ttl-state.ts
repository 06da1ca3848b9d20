import type { StateDescriptor } from '../../../api/state-descriptor.ts'
import type {
  AggregatingState,
  Aggregation,
  ListState,
  MapState,
  ReducingState,
  Reduction,
  ValueState,
} from '../../../api/user-states.ts'
import { InvalidElement } from '../../../errors.ts'
import type { Timed, TtlClock } from './ttl-clock.ts'

/** The descriptor of the state below: the same with values that have times. */
export function timedDescriptor(
  descriptor: StateDescriptor<unknown>,
  clock: TtlClock,
): StateDescriptor<unknown> {
  const { name, kind } = descriptor
  switch (kind) {
    case 'reducing':
      return { name, kind, reduction: timedReduction(descriptor.reduction as Reduction<unknown>, clock) }
    case 'aggregating': {
      const aggregation = descriptor.aggregation as Aggregation<unknown, unknown, unknown>
      return { name, kind, aggregation: timedAggregation(aggregation, clock) }
    }
    default:
      return { name, kind }
  }
}

/**
 * User-facing state with a time to live on a state of timed values.
 * @param below the state of {@link timedDescriptor}
 * @param access called at each access, before it
 */
export function makeTtlState(
  descriptor: StateDescriptor<unknown>,
  below: unknown,
  clock: TtlClock,
  access: () => void,
): unknown {
  const reader = new Reader(clock, access)
  switch (descriptor.kind) {
    case 'list':
      return listState(below as ListState<Timed<unknown>>, descriptor.name, reader)
    case 'map':
      return mapState(below as MapState<unknown, Timed<unknown>>, reader)
    case 'reducing':
    case 'aggregating':
      return foldingState(below as ReducingState<Timed<unknown>>, reader)
    default:
      return valueState(below as ValueState<Timed<unknown>>, defaultMaker(descriptor.defaultValue), reader)
  }
}

/** What happens to a timed value that is read. */
class Reader {
  readonly clock: TtlClock
  readonly access: () => void
  readonly #updatesOnRead: boolean
  readonly #showsExpired: boolean

  constructor(clock: TtlClock, access: () => void) {
    this.clock = clock
    this.access = access
    this.#updatesOnRead = clock.config.updateType === 'on-read-and-write'
    this.#showsExpired = clock.config.visibility === 'return-expired-if-not-cleaned-up'
  }

  timed<T>(value: T): Timed<T> {
    return [this.clock.stamp(), value]
  }

  /** The value if it may be seen; one that is over is removed. */
  read<T>(timed: Timed<T> | undefined, remove: () => void): T | undefined {
    if (timed === undefined) return undefined
    if (this.clock.isOver(timed)) {
      remove()
      return this.#showsExpired ? timed[1] : undefined
    }
    if (this.#updatesOnRead) timed[0] = this.clock.stamp()
    return timed[1]
  }
}

function valueState(
  below: ValueState<Timed<unknown>>,
  makeDefault: () => unknown,
  reader: Reader,
): ValueState<unknown> {
  const clear = (): void => below.clear()
  return {
    value: () => {
      reader.access()
      const value = reader.read(below.value(), clear)
      return value === undefined ? makeDefault() : value
    },
    update: value => {
      reader.access()
      if (value === undefined) below.clear()
      else below.update(reader.timed(value))
    },
    clear,
  }
}

function listState(below: ListState<Timed<unknown>>, name: string, reader: Reader): ListState<unknown> {
  const timed = (value: unknown): Timed<unknown> => {
    if (value === undefined || value === null) throw InvalidElement({ name, value: String(value) })
    return reader.timed(value)
  }
  const nothing = (): void => {}
  return {
    get: () => {
      reader.access()
      const seen: unknown[] = []
      const kept: Timed<unknown>[] = []
      let over = 0
      for (const element of below.get()) {
        if (reader.clock.isOver(element)) over++
        else kept.push(element)
        const value = reader.read(element, nothing)
        if (value !== undefined) seen.push(value)
      }
      if (over > 0) below.update(kept)
      return seen
    },
    add: value => {
      reader.access()
      below.add(timed(value))
    },
    addAll: values => {
      reader.access()
      below.addAll(Array.from(values, timed))
    },
    update: values => {
      reader.access()
      below.update(Array.from(values, timed))
    },
    clear: () => below.clear(),
  }
}

function mapState(below: MapState<unknown, Timed<unknown>>, reader: Reader): MapState<unknown, unknown> {
  const get = (key: unknown): unknown => {
    reader.access()
    return reader.read(below.get(key), () => below.remove(key))
  }
  const put = (key: unknown, value: unknown): void => {
    reader.access()
    if (value === undefined) below.remove(key)
    else below.put(key, reader.timed(value))
  }
  function* entries(all: Iterable<[unknown, Timed<unknown>]>): Iterable<[unknown, unknown]> {
    for (const [key, timed] of all) {
      const value = reader.read(timed, () => below.remove(key))
      if (value !== undefined) yield [key, value]
    }
  }
  const walk = (): Iterable<[unknown, unknown]> => {
    reader.access()
    return entries(below.entries())
  }
  return {
    get,
    put,
    putAll: items => {
      for (const [key, value] of Array.isArray(items) ? items : [...items]) put(key, value)
    },
    remove: key => {
      reader.access()
      below.remove(key)
    },
    contains: key => get(key) !== undefined,
    entries: walk,
    *keys() {
      for (const [key] of walk()) yield key
    },
    *values() {
      for (const [, value] of walk()) yield value
    },
    isEmpty: () => {
      for (const _ of walk()) return false
      return true
    },
    clear: () => below.clear(),
  }
}

/** Of reducing states, what is below takes and gives timed values; of aggregating ones it takes plain ones. */
function foldingState(
  below: ReducingState<Timed<unknown>>,
  reader: Reader,
): ReducingState<unknown> & AggregatingState<unknown, unknown> {
  const clear = (): void => below.clear()
  return {
    get: () => {
      reader.access()
      return reader.read(below.get(), clear)
    },
    add: value => {
      reader.access()
      below.add(reader.timed(value))
    },
    clear,
  }
}

function timedReduction(reduction: Reduction<unknown>, clock: TtlClock): Reduction<Timed<unknown>> {
  const reduce = typeof reduction === 'function' ? reduction : reduction.reduce.bind(reduction)
  return (left, right) => (clock.isOver(left) ? right : [right[0], reduce(left[1], right[1])])
}

/** Inputs come timed, and the result is the time with the result of the user's aggregation. */
function timedAggregation(
  aggregation: Aggregation<unknown, unknown, unknown>,
  clock: TtlClock,
): Aggregation<Timed<unknown>, Timed<unknown>, Timed<unknown>> {
  return {
    createAccumulator: () => [clock.stamp(), aggregation.createAccumulator()],
    add: ([time, value], accumulator) => {
      const old = clock.isOver(accumulator) ? aggregation.createAccumulator() : accumulator[1]
      return [time, aggregation.add(value, old)]
    },
    getResult: accumulator => new LazyResult(aggregation, accumulator) as unknown as Timed<unknown>,
  }
}

/** The accumulator's time, and its result once it is asked for: touching the time must reach the accumulator. */
class LazyResult {
  readonly #aggregation: Aggregation<unknown, unknown, unknown>
  readonly #accumulator: Timed<unknown>

  constructor(aggregation: Aggregation<unknown, unknown, unknown>, accumulator: Timed<unknown>) {
    this.#aggregation = aggregation
    this.#accumulator = accumulator
  }

  get 0(): number {
    return this.#accumulator[0]
  }

  set 0(time: number) {
    this.#accumulator[0] = time
  }

  get 1(): unknown {
    return this.#aggregation.getResult(this.#accumulator[1])
  }
}

/** Each key gets a default of its own. */
function defaultMaker(value: unknown): () => unknown {
  return typeof value === 'object' && value !== null ? () => structuredClone(value) : () => value
}
