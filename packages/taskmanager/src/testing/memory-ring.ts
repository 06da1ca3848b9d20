import type {
  ChannelEvent,
  ChannelHandler,
  ChannelReader,
  ChannelWriter,
  OverdraftBudget,
} from '@flink-ts/network'

type Item = { readonly record: unknown; readonly timestamp: number } | { readonly event: ChannelEvent }

/** A channel with bounded room in one thread, in place of a ring between two. For tests. */
export class MemoryRing {
  readonly items: Item[] = []
  capacity: number
  recordsIn = 0
  recordsOut = 0
  readonly #wake: () => void
  #overdraft: OverdraftBudget | undefined

  constructor(options: { capacity: number }, dependencies: { wake: () => void }) {
    this.capacity = options.capacity
    this.#wake = dependencies.wake
  }

  /** @param overdraft counts a byte for each item beyond the capacity */
  writer(timestamp: Float64Array, overdraft?: OverdraftBudget): ChannelWriter {
    const ring = this
    this.#overdraft = overdraft
    return {
      overdraftBytes: 0,
      bytesOut: 0,
      get recordsOut() {
        return ring.recordsOut
      },
      get usage() {
        return Math.min(1, ring.items.length / ring.capacity)
      },
      available: () => ring.items.length < ring.capacity,
      write: record => {
        if (ring.items.length >= ring.capacity) overdraft?.grow(1)
        ring.#add({ record, timestamp: timestamp[0] as number })
      },
      event: event => ring.#add({ event }),
      flush: () => {},
    }
  }

  reader(timestamp: Float64Array): ChannelReader {
    const ring = this
    return {
      bytesIn: 0,
      get recordsIn() {
        return ring.recordsIn
      },
      get usage() {
        return Math.min(1, ring.items.length / ring.capacity)
      },
      ready: () => ring.items.length > 0,
      poll: (maxRecords, handler) => ring.#take(maxRecords, handler, timestamp),
    }
  }

  #add(item: Item): void {
    if ('record' in item) this.recordsOut++
    this.items.push(item)
    this.#wake()
  }

  #take(maxRecords: number, handler: ChannelHandler, timestamp: Float64Array): number {
    let taken = 0
    for (;;) {
      const item = this.items[0]
      if (item === undefined || ('event' in item && taken > 0)) break
      if ('record' in item && taken >= maxRecords) break
      if (this.items.length > this.capacity && 'record' in item) this.#overdraft?.shrink(1)
      this.items.shift()
      taken++
      if ('event' in item) {
        handler.event(item.event)
        break
      }
      this.recordsIn++
      timestamp[0] = item.timestamp
      handler.record(item.record)
    }
    if (taken > 0) this.#wake()
    return taken
  }
}
