/** Elements of a list are kept in pieces: what a snapshot must save at a touch is one of them, whatever the list's size. */
export const CHUNK_ELEMENTS = 256

/** A piece of a list. Named as the entries of tables are, since snapshots treat both as parts of a value. */
export interface ListChunk<T> {
  /** Its place in the list. */
  readonly key: number
  readonly value: T[]
  /** See `HeapEntry.saved`. */
  saved: number
}

/** Elements in pieces of {@link CHUNK_ELEMENTS}. */
export function toChunks<T>(elements: readonly T[], saved: number): ListChunk<T>[] {
  const chunks: ListChunk<T>[] = []
  for (let at = 0; at < elements.length; at += CHUNK_ELEMENTS) {
    chunks.push({ key: chunks.length, value: elements.slice(at, at + CHUNK_ELEMENTS), saved })
  }
  return chunks
}
