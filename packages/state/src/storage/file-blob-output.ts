import type { FileOutput, FileSystem } from '@flink-ts/filesystem'
import type { StateLocation } from '../snapshot/state-handle.ts'
import type { BlobOutput } from './checkpoint-storage.ts'
import { inStorage } from './storage-failure.ts'

/** Small writes are gathered up to this size. */
const WRITE_BUFFER_BYTES = 64 * 1024

/** A state file that comes into being only when its content is too large to be inline. Owner: one snapshot. */
export class FileBlobOutput implements BlobOutput {
  readonly #uri: string
  readonly #inlineThresholdBytes: number
  readonly #fileSystem: FileSystem
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #position = 0
  #file: FileOutput | undefined

  constructor(
    options: { uri: string; inlineThresholdBytes: number },
    dependencies: { fileSystem: FileSystem },
  ) {
    this.#uri = options.uri
    this.#inlineThresholdBytes = options.inlineThresholdBytes
    this.#fileSystem = dependencies.fileSystem
  }

  get position(): number {
    return this.#position
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes <= Math.max(this.#inlineThresholdBytes, WRITE_BUFFER_BYTES)) {
      // Copied: the caller may use its buffer again.
      this.#pending.push(Uint8Array.prototype.slice.call(bytes))
      return
    }
    this.#pending.push(bytes)
    await inStorage(() => this.#flush())
  }

  async close(): Promise<StateLocation> {
    if (this.#file === undefined && this.#position <= this.#inlineThresholdBytes) {
      return { type: 'inline', base64: Buffer.concat(this.#pending).toString('base64') }
    }
    await inStorage(async () => {
      const file = await this.#flush()
      await file.sync()
      await file.close()
    })
    return { type: 'file', path: this.#uri, sizeBytes: this.#position }
  }

  async discard(): Promise<void> {
    this.#pending = []
    this.#pendingBytes = 0
    const file = this.#file
    if (file === undefined) return
    await inStorage(async () => {
      try {
        await file.abort()
      } finally {
        // It may have been closed before.
        await this.#fileSystem.delete(this.#uri)
      }
    })
  }

  async #flush(): Promise<FileOutput> {
    this.#file ??= await this.#fileSystem.create(this.#uri, 'create')
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (pending.length > 0)
      await this.#file.write(pending.length === 1 ? (pending[0] as Uint8Array) : Buffer.concat(pending))
    return this.#file
  }
}
