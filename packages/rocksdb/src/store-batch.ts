const HEAD_BYTES = 9
const PUT = 0
const DELETE = 1
const DELETE_RANGE = 2
const FIRST_BYTES = 64 * 1024
/** One that grew beyond it is given up when it was written. */
const KEPT_BYTES = 1 << 20

/** Operations that are written together: all or none. Owner: who fills it; `RocksDbStore.write` empties it. */
export class StoreBatch {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Packed, for the addon. */
  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The bytes are copied. @param head what the stored value begins with */
  put(key: Uint8Array, value: Uint8Array, head: Uint8Array = NOTHING): void {
    this.#add(PUT, key, value, head)
  }

  delete(key: Uint8Array): void {
    this.#add(DELETE, key, NOTHING, NOTHING)
  }

  /** Deletes all keys from `lower` on below `upper`. */
  deleteRange(lower: Uint8Array, upper: Uint8Array): void {
    this.#add(DELETE_RANGE, lower, upper, NOTHING)
  }

  clear(): void {
    this.#sizeBytes = 0
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  }

  #add(kind: number, key: Uint8Array, value: Uint8Array, head: Uint8Array): void {
    let at = this.#sizeBytes
    const end = at + HEAD_BYTES + key.length + head.length + value.length
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, this.#bytes.length * 2))
      this.#bytes.copy(grown, 0, 0, at)
      this.#bytes = grown
    }
    const bytes = this.#bytes
    bytes[at] = kind
    bytes.writeUInt32LE(key.length, at + 1)
    bytes.writeUInt32LE(head.length + value.length, at + 5)
    at += HEAD_BYTES
    bytes.set(key, at)
    at += key.length
    bytes.set(head, at)
    bytes.set(value, at + head.length)
    this.#sizeBytes = end
  }
}

const NOTHING = new Uint8Array(0)
