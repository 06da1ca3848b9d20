import { crc32 } from 'node:zlib'
import type { Random } from '@flink-ts/common'
import { type FileOutput, type FileSystem, joinUri } from '@flink-ts/filesystem'
import type { StateLocation } from '../snapshot/state-handle.ts'
import type { BlobOutput } from '../storage/checkpoint-storage.ts'
import { copyTail } from './copy-tail.ts'

/** Small writes are gathered up to this size; most state that stays inline never comes to a file. */
const WRITE_BUFFER_BYTES = 64 * 1024

export interface CopiedBlobOutputDependencies {
  readonly original: BlobOutput
  readonly fileSystem: FileSystem
  readonly random: Random
  /** Name of the copy of a file; undefined: it gets none. */
  readonly nameOf: (path: string) => string | undefined
  /** The copy could not be written. */
  readonly failed: (error: unknown) => void
}

/**
 * Writes a state file and, beside it, its copy on this host. The original decides what becomes of it; a copy that fails
 * is given up. Owner: one snapshot.
 */
export class CopiedBlobOutput implements BlobOutput {
  readonly #folder: string
  readonly #ports: CopiedBlobOutputDependencies
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #crc = 0
  #copy: { readonly uri: string; readonly file: FileOutput } | undefined
  #givenUp = false

  /** @param options `folder`: URI, made when the copy is */
  constructor(options: { readonly folder: string }, dependencies: CopiedBlobOutputDependencies) {
    this.#folder = options.folder
    this.#ports = dependencies
  }

  get position(): number {
    return this.#ports.original.position
  }

  async write(bytes: Uint8Array): Promise<void> {
    // The caller may use its buffer again when both have it.
    const copied = this.#copyBytes(bytes)
    try {
      await this.#ports.original.write(bytes)
    } finally {
      await copied
    }
  }

  async close(): Promise<StateLocation> {
    let location: StateLocation
    try {
      location = await this.#ports.original.close()
    } catch (error) {
      await this.#giveUp()
      throw error
    }
    const name = location.type === 'file' ? this.#ports.nameOf(location.path) : undefined
    if (name === undefined) await this.#giveUp()
    else await this.#attempt(() => this.#finish(name))
    return location
  }

  async discard(): Promise<void> {
    await this.#giveUp()
    await this.#ports.original.discard()
  }

  async #copyBytes(bytes: Uint8Array): Promise<void> {
    if (this.#givenUp) return
    this.#crc = crc32(bytes, this.#crc)
    this.#pendingBytes += bytes.length
    const small = this.#pendingBytes <= WRITE_BUFFER_BYTES
    this.#pending.push(small ? Uint8Array.prototype.slice.call(bytes) : bytes)
    if (!small) await this.#attempt(() => this.#flush())
  }

  async #flush(): Promise<FileOutput> {
    if (this.#copy === undefined) {
      const { fileSystem, random } = this.#ports
      const uri = joinUri(this.#folder, `.unfinished-${random.bytes(8).toString('hex')}`)
      this.#copy = { uri, file: await fileSystem.create(uri, 'create') }
    }
    const pending = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (pending.length > 0) await this.#copy.file.write(Buffer.concat(pending))
    return this.#copy.file
  }

  async #finish(name: string): Promise<void> {
    if (this.#givenUp) return
    this.#pending.push(copyTail(this.#crc))
    const file = await this.#flush()
    // Not synced: the copy is of no use after a crash of the host.
    await file.close()
    const { uri } = this.#copy as { uri: string }
    this.#copy = undefined
    await this.#ports.fileSystem.rename(uri, joinUri(this.#folder, name))
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#ports.failed(error)
      await this.#giveUp()
    }
  }

  async #giveUp(): Promise<void> {
    this.#givenUp = true
    this.#pending = []
    const copy = this.#copy
    this.#copy = undefined
    try {
      await copy?.file.abort()
    } catch (error) {
      this.#ports.failed(error)
    }
  }
}
