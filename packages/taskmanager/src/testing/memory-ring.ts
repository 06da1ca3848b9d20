import {
  type CaptureListener,
  type ChannelEvent,
  type ChannelHandler,
  type ChannelReader,
  type ChannelWriter,
  endOfCapture,
  type OverdraftBudget,
} from '@flink-ts/network'
import { RecordCapture } from '../checkpoint/record-capture.ts'

type Item = { readonly record: unknown; readonly timestamp: number } | { readonly event: ChannelEvent }

/** A channel with bounded room in one thread, in place of a ring between two. For tests. */
export class MemoryRing {
  readonly items: Item[] = []
  capacity: number
  recordsIn = 0
  recordsOut = 0
  readonly #wake: () => void
  /** Taken out before their turn: they take no room any more. */
  readonly #stash: Item[] = []
  #capture:
    | { readonly checkpointId: number; readonly listener: CaptureListener; readonly records: RecordCapture }
    | undefined
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
      announce: () => {},
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
      ready: () => {
        ring.#drain()
        return ring.#stash.length > 0 || (ring.#capture === undefined && ring.items.length > 0)
      },
      poll: (maxRecords, handler) => ring.#take(maxRecords, handler, timestamp),
      bufferedBytes: 0,
      startCapture: (checkpointId, listener) => {
        const records = new RecordCapture(listener)
        ring.#capture = { checkpointId, listener, records }
        for (const [i, item] of ring.#stash.entries())
          if (ring.#captureItem(item, () => ring.#stash.splice(i, 1))) return
      },
      drain: () => ring.#drain(),
      stopCapture: () => {
        ring.#capture = undefined
      },
    }
  }

  #drain(): boolean {
    let drained = false
    while (this.#capture !== undefined && this.items.length > 0) {
      drained = true
      const item = this.#shift() as Item
      this.#stash.push(item)
      this.#captureItem(item, () => this.#stash.pop())
    }
    if (drained) this.#wake()
    return drained
  }

  /** True: the capture is over. */
  #captureItem(item: Item, drop: () => void): boolean {
    const capture = this.#capture
    if (capture === undefined) return true
    if ('record' in item) {
      capture.records.add(item.record, item.timestamp)
      return false
    }
    const end = endOfCapture(item.event, capture.checkpointId)
    if (end === undefined) return false
    if (end === 'barrier') drop()
    this.#capture = undefined
    capture.records.flush()
    capture.listener.ended(end)
    return true
  }

  #shift(): Item | undefined {
    const [item] = this.items
    if (item !== undefined && this.items.length > this.capacity && 'record' in item)
      this.#overdraft?.shrink(1)
    return this.items.shift()
  }

  #add(item: Item): void {
    if ('record' in item) this.recordsOut++
    this.items.push(item)
    this.#wake()
  }

  #take(maxRecords: number, handler: ChannelHandler, timestamp: Float64Array): number {
    let taken = 0
    for (;;) {
      this.#drain()
      const stashed = this.#stash.length > 0
      const item = stashed ? this.#stash[0] : this.#capture === undefined ? this.items[0] : undefined
      if (item === undefined || ('event' in item && taken > 0)) break
      if ('record' in item && taken >= maxRecords) break
      if (stashed) this.#stash.shift()
      else this.#shift()
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
