import type { FileHandle } from 'node:fs/promises'
import type { FileInput } from '../api/file-system.ts'
import { toFileSystemError } from '../errors.ts'

/** A local file open for reading. Reads may overlap. */
export class LocalFileInput implements FileInput {
  readonly sizeBytes: number
  readonly #uri: string
  readonly #file: FileHandle
  #closed = false

  constructor(options: { uri: string; sizeBytes: number }, dependencies: { file: FileHandle }) {
    this.#uri = options.uri
    this.sizeBytes = options.sizeBytes
    this.#file = dependencies.file
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const target = Buffer.allocUnsafe(Math.max(0, Math.min(length, this.sizeBytes - offset)))
    let filled = 0
    try {
      while (filled < target.length) {
        const { bytesRead } = await this.#file.read(target, filled, target.length - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
    } catch (error) {
      throw toFileSystemError(error, 'read', this.#uri)
    }
    return target.subarray(0, filled)
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
}
