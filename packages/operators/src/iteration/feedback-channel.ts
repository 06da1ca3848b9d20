/** A record on its way back to the head of its loop; stored as it is. */
export interface FeedbackRecord {
  readonly value: unknown
  /** NaN for none. */
  readonly timestamp: number
}

/** What the head of a loop is told. */
export interface FeedbackHead {
  record(record: FeedbackRecord): void
  /** Everything that was fed back before checkpoint `checkpointId` has come; or no more of it will. */
  barrier(checkpointId: number): void
}

/**
 * The way from the tail of a loop back to its head, for one subtask: both run in the same slot thread, and nothing else
 * does what they do. Owner: the slot thread.
 */
export class FeedbackChannel {
  #head: FeedbackHead | undefined

  get connected(): boolean {
    return this.#head !== undefined
  }

  connect(head: FeedbackHead): void {
    this.#head = head
  }

  disconnect(): void {
    this.#head = undefined
  }

  send(record: FeedbackRecord): void {
    this.#head?.record(record)
  }

  barrier(checkpointId: number): void {
    this.#head?.barrier(checkpointId)
  }
}

// One map for each thread: the head and the tail of a subtask find each other here. Entries go with the head.
const channels = new Map<string, FeedbackChannel>()

/** The channel of a loop and subtask of this thread, made by whoever comes first. */
export function feedbackChannel(key: string): FeedbackChannel {
  let channel = channels.get(key)
  if (channel === undefined) {
    channel = new FeedbackChannel()
    channels.set(key, channel)
  }
  return channel
}

/** Forgets a channel whose head is closed. */
export function dropFeedbackChannel(key: string, channel: FeedbackChannel): void {
  channel.disconnect()
  if (channels.get(key) === channel) channels.delete(key)
}
