import { createHash, type Hash } from 'node:crypto'
import { InvalidBlobKey } from '../errors.ts'

/** SHA-256 of the content: 64 lower-case hex characters. */
const KEY = /^[0-9a-f]{64}$/

/** `key`, if it is one. Throws `rpc.invalid-blob-key`: a key becomes a file name, so nothing else may pass. */
export function checkedBlobKey(key: string): string {
  if (!KEY.test(key)) throw InvalidBlobKey({ key: key.slice(0, 100) })
  return key
}

/** Digests content that comes in parts. */
export class BlobDigest {
  readonly #hash: Hash = createHash('sha256')
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  update(part: Uint8Array): void {
    this.#hash.update(part)
    this.#sizeBytes += part.length
  }

  /** The key; the digest takes nothing after it. */
  key(): string {
    return this.#hash.digest('hex')
  }
}
