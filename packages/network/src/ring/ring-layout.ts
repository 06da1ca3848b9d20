/**
 * A byte ring in shared memory: one producing and one consuming thread. Head and tail count bytes and wrap at 2^32, so
 * the capacity is a power of two. A frame is [length, kind] as two int32, then the payload, at multiples of 8; it never
 * wraps: a length of WRAP says that the rest up to the end of the ring is skipped.
 */
export const HEAD = 0
/** A cache line of its own for each side. */
export const TAIL = 16
/** 1: the producer wants its bell rung once the tail has reached WAKE_TAIL. */
export const WAITING = 32
export const WAKE_TAIL = 33
export const DATA_START = 256
export const FRAME_HEADER = 8
export const WRAP = -1

const MIN_CAPACITY = 1024
const MAX_CAPACITY = 2 ** 30
/** Room of a channel by default. */
const DEFAULT_RING_BYTES = 256 * 1024

/** What a frame holds. Fragments are parts of one batch that is larger than a frame may be; the last one ends it. */
export const KIND = { batch: 1, event: 2, fragment: 3, lastFragment: 4 } as const

/** Memory of one channel; `capacityBytes` is rounded up to a power of two, at least 1024. */
export function allocateRing(capacityBytes: number = DEFAULT_RING_BYTES): SharedArrayBuffer {
  let capacity = MIN_CAPACITY
  while (capacity < capacityBytes && capacity < MAX_CAPACITY) capacity *= 2
  return new SharedArrayBuffer(DATA_START + capacity)
}

export function ringCapacity(ring: SharedArrayBuffer): number {
  return ring.byteLength - DATA_START
}

/**
 * Largest payload of a frame: a quarter of the ring. A frame that must skip the rest of the ring then takes at most half
 * of it, so half a ring of room is always enough.
 */
export function maxPayload(capacity: number): number {
  return capacity / 4 - FRAME_HEADER
}

/** How full a ring is: 0 to 1. Any thread may ask. */
export function ringUsage(ring: SharedArrayBuffer): number {
  return ringUsedBytes(ring) / ringCapacity(ring)
}

/** Bytes that wait in a ring. Any thread may ask. */
export function ringUsedBytes(ring: SharedArrayBuffer): number {
  const words = new Int32Array(ring)
  return (Atomics.load(words, HEAD) - Atomics.load(words, TAIL)) | 0
}

/** Bytes by which a frame moves the head, the skipped rest included. */
export function frameSpan(head: number, capacity: number, payloadBytes: number): number {
  const size = FRAME_HEADER + ((payloadBytes + 7) & ~7)
  const rest = capacity - (head & (capacity - 1))
  return size <= rest ? size : rest + size
}
