import type { S3Location } from './s3-location.ts'
import type { S3Purpose, S3Store, S3UploadId } from './s3-store.ts'

/** After so many parts they double in size: 10,000 parts are allowed, so that 5 TB come before them. */
const PARTS_OF_ONE_SIZE = 1000

/**
 * Bytes on their way to one object, part by part, several at the same time. Less than a part stays in memory until
 * somebody decides what becomes of it. Owner: whoever writes the file; calls must not overlap.
 */
export class S3Upload {
  readonly #location: S3Location
  readonly #purpose: S3Purpose
  readonly #partSizeBytes: number
  readonly #concurrent: number
  readonly #store: S3Store
  #position = 0
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #begun: Promise<S3UploadId> | undefined
  #etags: string[] = []
  #parts = 0
  readonly #underWay = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(
    options: {
      readonly location: S3Location
      readonly purpose: S3Purpose
      readonly partSizeBytes: number
      readonly concurrent: number
    },
    dependencies: { readonly store: S3Store },
  ) {
    this.#location = options.location
    this.#purpose = options.purpose
    this.#partSizeBytes = options.partSizeBytes
    this.#concurrent = options.concurrent
    this.#store = dependencies.store
  }

  get position(): number {
    return this.#position
  }

  /** Whether there are parts in the store. */
  get begun(): boolean {
    return this.#begun !== undefined
  }

  /** What is in no part yet. */
  rest(): Buffer {
    return Buffer.concat(this.#waiting)
  }

  /** Copies what it keeps. Rejects with what went wrong with an earlier part, too. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#throwFailure()
    this.#position += bytes.length
    let at = 0
    while (bytes.length - at >= this.#nextPartBytes() - this.#waitingBytes) {
      const end = at + this.#nextPartBytes() - this.#waitingBytes
      this.#waiting.push(bytes.subarray(at, end))
      at = end
      await this.#sendPart()
    }
    if (at < bytes.length) {
      this.#waiting.push(Uint8Array.prototype.slice.call(bytes, at))
      this.#waitingBytes += bytes.length - at
    }
  }

  /** Sends the rest and waits until all parts are stored. */
  async finish(): Promise<{ readonly upload: S3UploadId; readonly parts: readonly string[] }> {
    this.#throwFailure()
    if (this.#waitingBytes > 0 || this.#parts === 0) await this.#sendPart()
    await Promise.all(this.#underWay)
    this.#throwFailure()
    return { upload: await (this.#begun as Promise<S3UploadId>), parts: this.#etags }
  }

  /** Removes the parts from the store. Idempotent. */
  async abort(): Promise<void> {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#failure ??= { error: new Error('the upload was given up') }
    await Promise.all(this.#underWay)
    const begun = this.#begun
    if (begun === undefined) return
    // If it could not be begun, there is nothing to remove.
    const upload = await begun.catch(() => undefined)
    if (upload !== undefined) await this.#store.abort(upload, { ...this.#purpose, operation: 'give up' })
    this.#begun = undefined
  }

  #nextPartBytes(): number {
    return this.#partSizeBytes * 2 ** Math.floor(this.#parts / PARTS_OF_ONE_SIZE)
  }

  /** Resolves when there is room for the next one. */
  async #sendPart(): Promise<void> {
    const body = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#begun ??= this.#store.begin(this.#location, this.#purpose)
    const index = this.#parts++
    const sending = this.#sendBody(index, body).finally(() => this.#underWay.delete(sending))
    this.#underWay.add(sending)
    while (this.#underWay.size >= this.#concurrent) await Promise.race(this.#underWay)
    this.#throwFailure()
  }

  /** Never rejects: the first failure is kept. */
  async #sendBody(index: number, body: Buffer): Promise<void> {
    try {
      const upload = await (this.#begun as Promise<S3UploadId>)
      if (this.#failure !== undefined) return
      this.#etags[index] = await this.#store.uploadPart(upload, index + 1, body, this.#purpose)
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
