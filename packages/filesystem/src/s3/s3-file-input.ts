import type { FileInput } from '../api/file-system.ts'
import type { S3Location } from './s3-location.ts'
import type { S3Object, S3Store } from './s3-store.ts'

/** An object open for reading: each read is a request, and refused if the object was changed since. */
export class S3FileInput implements FileInput {
  readonly sizeBytes: number
  readonly #location: S3Location
  readonly #uri: string
  readonly #etag: string | undefined
  readonly #store: S3Store

  constructor(
    options: { readonly location: S3Location; readonly uri: string; readonly object: S3Object },
    dependencies: { readonly store: S3Store },
  ) {
    this.#location = options.location
    this.#uri = options.uri
    this.sizeBytes = options.object.sizeBytes
    this.#etag = options.object.etag
    this.#store = dependencies.store
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + length, this.sizeBytes)
    if (end <= offset) return Buffer.alloc(0)
    const purpose = { uri: this.#uri, operation: 'read' }
    return this.#store.getRange(this.#location, { start: offset, end }, this.#etag, purpose)
  }

  /** There is nothing open. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}
