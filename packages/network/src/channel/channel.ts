/** What a barrier says of its savepoint. */
interface SavepointTarget {
  /** URI of the folder that all tasks write into. */
  readonly folder: string
  /** Nothing is read, and no timer fires, after the barrier: the job ends when the savepoint is complete. */
  readonly suspend: boolean
}

/** What travels in band between records, in order with them. */
export type ChannelEvent =
  | { readonly type: 'watermark'; readonly watermark: number }
  | { readonly type: 'idle' }
  | { readonly type: 'active' }
  | {
      readonly type: 'barrier'
      readonly checkpointId: number
      readonly timestamp: number
      /** False: a checkpoint. */
      readonly savepoint: false | SavepointTarget
    }
  | { readonly type: 'cancel-barrier'; readonly checkpointId: number }
  /** No more records will come; barriers still may. `drained`: the job is being stopped, with a savepoint at its end. */
  | { readonly type: 'end-of-data'; readonly drained?: true }
  /** The producer has finished: nothing more will come, no barriers either. */
  | { readonly type: 'end-of-partition' }

/**
 * Both ends of one logical channel, shareable between threads: the ring, and one bell for each side. The producer
 * rings `consumerBell` after data was added, the consumer rings `producerBell` after room was made.
 */
export interface ChannelEnds {
  /** `<job>/<attempt epoch>/<edge>/<producer>/<consumer>`: unique in the cluster, new for each attempt. */
  readonly channelId: string
  readonly ring: SharedArrayBuffer
  readonly producerBell: SharedArrayBuffer
  readonly consumerBell: SharedArrayBuffer
}

/**
 * Bound of what the channels of one operator hold on the heap because their rings are full. Owned by the producing
 * task; used by its slot thread.
 */
export interface OverdraftBudget {
  /** `sizeBytes` more go to the heap. Throws if that is too much: nothing was added then. */
  grow(sizeBytes: number): void
  /** `sizeBytes` have left the heap. */
  shrink(sizeBytes: number): void
}

/** The producing end, used by one slot thread. Nothing here blocks. */
export interface ChannelWriter {
  /** Room for at least one full batch and nothing in overdraft: to be asked before input is taken. */
  available(): boolean
  /**
   * Adds a record with the timestamp in the thread's timestamp register; sends the batch when it is full. Throws what
   * the overdraft budget throws; the records of that batch are lost then, so that the task has to fail.
   */
  write(record: unknown): void
  /** Adds an event after all records written so far (the open batch is sent first). Never refused. */
  event(event: ChannelEvent): void
  /**
   * Wakes the consumer if it may sleep and something was sent since. To be called before the producer's thread goes on
   * to other things: until then a consumer is woken only by events, flushes and a ring that is half full.
   */
  announce(): void
  /** Sends the open batch, if any, and moves overdraft into the ring as far as there is room. */
  flush(): void
  /** Bytes that went beyond the ring and wait on the heap. */
  readonly overdraftBytes: number
  readonly recordsOut: number
  readonly bytesOut: number
  /** How full it is: 0 to 1. */
  readonly usage: number
}

/** What the consuming end hands out. */
export interface ChannelHandler {
  record(value: unknown): void
  event(event: ChannelEvent): void
}

/** What ends a capture of records before barrier `awaited`, if `event` does. */
export function endOfCapture(event: ChannelEvent, awaited: number): CaptureEnd | undefined {
  if (event.type === 'end-of-partition') return 'end-of-partition'
  if (event.type !== 'barrier' || event.checkpointId < awaited) return undefined
  return event.checkpointId === awaited ? 'barrier' : 'later-barrier'
}

export type CaptureEnd = 'barrier' | 'end-of-partition' | 'later-barrier'

/** Takes the records on their way that a {@link ChannelReader} captures. */
export interface CaptureListener {
  /** The next records in order, as one batch in memory of its own; its first `skip` were handed out before. */
  batch(bytes: Uint8Array, skip: number): void
  /**
   * Nothing more is captured: the barrier has come, and is not handed out any more; or it will not come, because the end
   * of the channel or a later barrier did, which is handed out in its turn.
   */
  ended(by: CaptureEnd): void
}

/** The consuming end, used by one slot thread. Nothing here blocks. */
export interface ChannelReader {
  /** Whether {@link ChannelReader.poll} would hand out something. */
  ready(): boolean
  /**
   * Hands out at most `maxRecords` records, or one event, in order; never a record after an event in one call, so
   * that the caller can stop at a barrier. With `maxRecords` 0, an event if one is next: barriers are handled while
   * records have to wait. The record's timestamp is in the thread's timestamp register.
   * Returns the number of records and events handed out, 0 if there was nothing.
   */
  poll(maxRecords: number, handler: ChannelHandler): number
  /**
   * Captures all records before barrier `checkpointId` that were not handed out yet: those that are here now, and with
   * each {@link ChannelReader.drain} those that come. They are taken out of the channel, so that the barrier behind them
   * comes soon however slowly records are handed out, and wait on the heap. Not to be called while a record of this
   * channel is being handed out.
   */
  startCapture(checkpointId: number, listener: CaptureListener): void
  /** While capturing: takes what has come since. Returns whether there was anything. */
  drain(): boolean
  /** Nothing is captured any more, and nobody told. */
  stopCapture(): void
  readonly recordsIn: number
  readonly bytesIn: number
  /** How full it is: 0 to 1. */
  readonly usage: number
  /** Bytes that wait in it; 0 where records wait that were never encoded. */
  readonly bufferedBytes: number
}
