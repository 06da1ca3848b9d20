import type { FileOutput } from '../api/file-system.ts'
import { FileIoFailed } from '../errors.ts'
import type { S3Location } from './s3-location.ts'
import type { S3Purpose, S3Store } from './s3-store.ts'
import type { S3Upload } from './s3-upload.ts'

/** An object being written: small ones in one request, larger ones in parts. It is there when it is closed. */
export class S3FileOutput implements FileOutput {
  readonly #location: S3Location
  readonly #purpose: S3Purpose
  readonly #mode: 'create' | 'overwrite'
  readonly #store: S3Store
  readonly #upload: S3Upload
  #state: 'open' | 'closed' | 'failed' = 'open'

  constructor(
    options: {
      readonly location: S3Location
      readonly purpose: S3Purpose
      readonly mode: 'create' | 'overwrite'
    },
    dependencies: { readonly store: S3Store; readonly upload: S3Upload },
  ) {
    this.#location = options.location
    this.#purpose = options.purpose
    this.#mode = options.mode
    this.#store = dependencies.store
    this.#upload = dependencies.upload
  }

  get position(): number {
    return this.#upload.position
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#upload.write(bytes)
  }

  /** Nothing can be seen of an object before it is complete: it is durable with {@link close}. */
  sync(): Promise<void> {
    return Promise.resolve()
  }

  async close(): Promise<void> {
    if (this.#state !== 'open') return
    // Whatever comes, it is not to be tried again: nobody knows how far it got.
    this.#state = 'failed'
    const { begun } = this.#upload
    try {
      if (!begun) {
        await this.#store.put(this.#location, this.#upload.rest(), this.#mode, this.#purpose)
      } else {
        const { upload, parts } = await this.#upload.finish()
        if (!(await this.#store.complete(upload, parts, this.#mode, this.#purpose))) {
          const reason = 'its parts were removed before it was complete'
          throw FileIoFailed({ ...this.#purpose, reason, hint: 'See who removed the folder or its uploads.' })
        }
      }
      this.#state = 'closed'
    } catch (error) {
      // The first error says what went wrong; uploads that stay are removed with their folder.
      if (begun) await this.#upload.abort().catch(() => undefined)
      throw error
    }
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'failed'
    await this.#upload.abort()
  }
}
