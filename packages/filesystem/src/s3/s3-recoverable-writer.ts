import type { PendingFile, RecoverableOutput, RecoverableWriter } from '../api/recoverable-writer.ts'
import { FileNotFound, PendingFileLost } from '../errors.ts'
import { locationOf } from './s3-location.ts'
import type { S3Store } from './s3-store.ts'
import { S3Upload } from './s3-upload.ts'

/**
 * Files are uploads in parts to their final key, completed by the commit. Under the in-progress name lies a small object
 * that names the final key: it comes before the upload and goes after it, so that whoever finds it can remove both.
 */
export class S3RecoverableWriter implements RecoverableWriter {
  readonly #partSizeBytes: number
  readonly #concurrent: number
  readonly #store: S3Store

  constructor(
    options: { readonly partSizeBytes: number; readonly concurrentUploads: number },
    dependencies: { readonly store: S3Store },
  ) {
    this.#partSizeBytes = options.partSizeBytes
    this.#concurrent = options.concurrentUploads
    this.#store = dependencies.store
  }

  async open(inProgressUri: string, finalUri: string): Promise<RecoverableOutput> {
    const purpose = { uri: inProgressUri, operation: 'create' }
    const marker = Buffer.from(JSON.stringify({ version: 1, finalUri } satisfies Marker))
    await this.#store.put(locationOf(inProgressUri), marker, 'create', purpose)
    const upload = new S3Upload(
      {
        location: locationOf(finalUri),
        purpose: { uri: finalUri, operation: 'write' },
        partSizeBytes: this.#partSizeBytes,
        concurrent: this.#concurrent,
      },
      { store: this.#store },
    )
    return new PendingUpload({ inProgressUri, finalUri }, { upload, store: this.#store })
  }

  async commit(file: PendingFile): Promise<void> {
    const { inProgressUri, finalUri, sizeBytes, upload } = file
    const purpose = { uri: finalUri, operation: 'commit' }
    const location = locationOf(finalUri)
    const lost = (reason: string): Error =>
      PendingFileLost({ inProgress: inProgressUri, final: finalUri, reason })
    const completed =
      upload !== undefined &&
      (await this.#store.complete({ location, id: upload.id }, upload.parts, 'overwrite', purpose))
    if (!completed) {
      const found = await this.#store.head(location, purpose)
      if (found === undefined) throw lost('there is neither such a file nor the upload it was to come of')
      if (found.sizeBytes !== sizeBytes) throw lost(`it has ${found.sizeBytes} bytes instead of ${sizeBytes}`)
    }
    await this.#store.delete(locationOf(inProgressUri), { uri: inProgressUri, operation: 'delete' })
  }

  async discard(inProgressUri: string): Promise<void> {
    const purpose = { uri: inProgressUri, operation: 'delete' }
    const marker = locationOf(inProgressUri)
    let content: Buffer
    try {
      content = await this.#store.get(marker, purpose)
    } catch (error) {
      if (FileNotFound.is(error)) return
      throw error
    }
    const finalUri = finalUriIn(content)
    if (finalUri !== undefined) {
      const { bucket, key } = locationOf(finalUri)
      for (const upload of await this.#store.uploads(bucket, key, purpose)) {
        if (upload.location.key === key) await this.#store.abort(upload, purpose)
      }
    }
    await this.#store.delete(marker, purpose)
  }
}

interface Marker {
  readonly version: 1
  readonly finalUri: string
}

/** Undefined: it is a file of somebody else's. */
function finalUriIn(content: Buffer): string | undefined {
  if (content.length > 10_000) return undefined
  try {
    const { finalUri } = JSON.parse(content.toString()) as Partial<Marker>
    return typeof finalUri === 'string' ? finalUri : undefined
  } catch {
    // Not JSON: no marker.
    return undefined
  }
}

class PendingUpload implements RecoverableOutput {
  readonly #names: { readonly inProgressUri: string; readonly finalUri: string }
  readonly #upload: S3Upload
  readonly #store: S3Store
  #ended = false

  constructor(
    names: { readonly inProgressUri: string; readonly finalUri: string },
    dependencies: { readonly upload: S3Upload; readonly store: S3Store },
  ) {
    this.#names = names
    this.#upload = dependencies.upload
    this.#store = dependencies.store
  }

  get position(): number {
    return this.#upload.position
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#upload.write(bytes)
  }

  async closeForCommit(): Promise<PendingFile> {
    const { upload, parts } = await this.#upload.finish()
    this.#ended = true
    return { ...this.#names, sizeBytes: this.#upload.position, upload: { id: upload.id, parts } }
  }

  async abort(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#upload.abort()
    const { inProgressUri } = this.#names
    await this.#store.delete(locationOf(inProgressUri), { uri: inProgressUri, operation: 'delete' })
  }
}
