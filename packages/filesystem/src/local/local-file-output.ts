import type { FileHandle } from 'node:fs/promises'
import type { FileOutput } from '../api/file-system.ts'
import { toFileSystemError } from '../errors.ts'

/** A new local file. Owner: whoever opened it. */
export class LocalFileOutput implements FileOutput {
  #position = 0
  #folderSynced = false
  #closed = false
  readonly #uri: string
  readonly #file: FileHandle
  readonly #syncFolder: () => Promise<void>
  readonly #remove: () => Promise<void>

  constructor(
    options: { uri: string },
    dependencies: { file: FileHandle; syncFolder: () => Promise<void>; remove: () => Promise<void> },
  ) {
    this.#uri = options.uri
    this.#file = dependencies.file
    this.#syncFolder = dependencies.syncFolder
    this.#remove = dependencies.remove
  }

  get position(): number {
    return this.#position
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      let written = 0
      // A disk that is nearly full takes a part only.
      while (written < bytes.length) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          written,
          bytes.length - written,
          this.#position,
        )
        written += bytesWritten
        this.#position += bytesWritten
      }
    } catch (error) {
      throw toFileSystemError(error, 'write', this.#uri)
    }
  }

  async sync(): Promise<void> {
    try {
      await this.#file.sync()
      // The name of a new file is durable only with its folder.
      if (!this.#folderSynced) await this.#syncFolder()
      this.#folderSynced = true
    } catch (error) {
      throw toFileSystemError(error, 'write', this.#uri)
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#file.close()
    } catch (error) {
      throw toFileSystemError(error, 'close', this.#uri)
    }
  }

  async abort(): Promise<void> {
    if (this.#closed) return
    try {
      await this.close()
    } finally {
      await this.#remove().catch((error: unknown) => {
        throw toFileSystemError(error, 'delete', this.#uri)
      })
    }
  }
}
