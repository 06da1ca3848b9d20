import { createReadStream } from 'node:fs'
import { mkdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Logger, newId, type Random } from '@flink-ts/common'
import { BlobCorrupt, BlobNotFound } from '../errors.ts'
import { BLOB_PART_BYTES, type BlobStore } from './blob-access.ts'
import { partsOf, writeVerified } from './blob-file.ts'
import { BlobDigest, checkedBlobKey } from './blob-key.ts'

/**
 * A folder of blobs, one file for each key. Content becomes visible whole and verified; what a killed process left
 * half-written is removed at the next start. The folder belongs to one process.
 */
export class BlobServer implements BlobStore {
  readonly #directory: string
  readonly #logger: Logger
  readonly #random: Random

  /** @param options directory: made if absent */
  constructor(
    options: { readonly directory: string },
    dependencies: { readonly logger: Logger; readonly random: Random },
  ) {
    this.#directory = options.directory
    this.#logger = dependencies.logger
    this.#random = dependencies.random
  }

  /** Makes the folder and removes what an earlier process left unfinished. Call it before anything else. */
  async start(): Promise<void> {
    await rm(this.#incoming(), { recursive: true, force: true })
    await mkdir(this.#incoming(), { recursive: true })
  }

  /** The file of a blob, for readers in the same process. It may be absent. */
  fileOf(key: string): string {
    return join(this.#directory, checkedBlobKey(key))
  }

  async has(key: string): Promise<boolean> {
    return (await this.#sizeOf(key)) !== undefined
  }

  async put(key: string, parts: AsyncIterable<Uint8Array>): Promise<void> {
    const targetFile = this.fileOf(key)
    const temporaryFile = join(this.#incoming(), newId<string>(this.#random))
    await writeVerified(key, parts, targetFile, { temporaryFile, where: 'that were received' })
    this.#logger.debug({ blobKey: key }, 'Stored a blob')
  }

  /** Stores bytes of this process; answers the key. */
  async add(content: Uint8Array): Promise<string> {
    const digest = new BlobDigest()
    digest.update(content)
    const key = digest.key()
    if (!(await this.has(key))) await this.put(key, partsOf(content))
    return key
  }

  async *read(key: string): AsyncIterable<Uint8Array> {
    if ((await this.#sizeOf(key)) === undefined) throw BlobNotFound({ key, address: this.#directory })
    const digest = new BlobDigest()
    for await (const part of createReadStream(this.fileOf(key), { highWaterMark: BLOB_PART_BYTES })) {
      digest.update(part as Uint8Array)
      yield part as Uint8Array
    }
    const found = digest.key()
    if (found === key) return
    // A damaged file must not stand in the way of the next upload.
    await this.delete(key)
    throw BlobCorrupt({ key, found, sizeBytes: digest.sizeBytes, where: 'in the store' })
  }

  /** Idempotent. */
  async delete(key: string): Promise<void> {
    await rm(this.fileOf(key), { force: true })
  }

  #incoming(): string {
    return join(this.#directory, 'incoming')
  }

  async #sizeOf(key: string): Promise<number | undefined> {
    try {
      return (await stat(this.fileOf(key))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}
