import type { Event } from '../model/events.ts'
import type { Row } from '../queries/query.ts'

/** A query written as plain JavaScript: what it costs without any framework. */
export interface Loop {
  event(event: Event): void
  /** Event time is complete up to `watermark`. After the event that it belongs to; rises. Only where it matters. */
  advance?(watermark: number): void
  /** The input is over: emits what is left. After the last watermark. */
  end?(): void
}

/** Makes the loop of one run. Rows are emitted as the query emits them, corrections included. */
export type LoopFactory = (emit: (row: Row) => void, sideInput: ReadonlyMap<number, string>) => Loop

/** The list of a key, made if absent. */
export function listOf<K, T>(lists: Map<K, T[]>, key: K): T[] {
  let list = lists.get(key)
  if (list === undefined) {
    list = []
    lists.set(key, list)
  }
  return list
}
