import { crc32 } from 'node:zlib'
import type { Logger, Random } from '@flink-ts/common'
import { type FileSystem, joinUri } from '@flink-ts/filesystem'
import type { StateLocation } from '../snapshot/state-handle.ts'
import type { BlobOutput } from '../storage/checkpoint-storage.ts'
import { CopiedBlobOutput } from './copied-blob-output.ts'
import { COPY_TAIL_BYTES, copyTail } from './copy-tail.ts'

const BLOCK_BYTES = 1 << 20

/** A state file in the folder of a checkpoint: only such files have copies. */
const STATE_FILE = /\/(chk-\d+)\/([A-Za-z0-9_-]+)$/

/**
 * Copies of the state files of one job on disks of this host: `<folder>/chk-<n>/<name>`, named as in the checkpoint
 * storage, whose names are unique. A copy is used only if it is whole; it is never needed. Owner: one slot thread; the
 * copies themselves belong to the TaskManager, which removes them.
 */
export class LocalCopies {
  readonly #folders: readonly string[]
  readonly #fileSystem: FileSystem
  readonly #random: Random
  readonly #logger: Logger
  /** By path of the original: the copy, if it is there and whole. */
  readonly #checked = new Map<string, Promise<string | undefined>>()
  #warnedOf: number | undefined

  /** @param options `folders`: URIs; new copies go to the first, copies of others are found in all */
  constructor(
    options: { readonly folders: readonly [string, ...string[]] },
    dependencies: { readonly fileSystem: FileSystem; readonly random: Random; readonly logger: Logger },
  ) {
    this.#folders = options.folders
    this.#fileSystem = dependencies.fileSystem
    this.#random = dependencies.random
    this.#logger = dependencies.logger
  }

  /** An output of a checkpoint that leaves a copy here. What goes wrong with the copy costs the copy only. */
  output(checkpointId: number, original: BlobOutput): BlobOutput {
    const [folder] = this.#folders
    return new CopiedBlobOutput(
      { folder: joinUri(folder as string, `chk-${checkpointId}`) },
      {
        original,
        fileSystem: this.#fileSystem,
        random: this.#random,
        nameOf: path => {
          const [, chk, name] = STATE_FILE.exec(path) ?? []
          return chk === `chk-${checkpointId}` ? name : undefined
        },
        failed: error => this.#copyFailed(checkpointId, error),
      },
    )
  }

  /** Bytes `[start, end)` of the copy; undefined: there is none that can be used. Never rejects. */
  async readRange(location: StateLocation, start: number, end: number): Promise<Buffer | undefined> {
    if (location.type === 'inline') return undefined
    const { path, sizeBytes } = location
    let checked = this.#checked.get(path)
    if (checked === undefined) {
      checked = this.#find(path, sizeBytes)
      this.#checked.set(path, checked)
    }
    const uri = await checked
    if (uri === undefined) return undefined
    const length = Math.min(end, sizeBytes) - start
    try {
      const input = await this.#fileSystem.open(uri)
      try {
        const bytes = await input.read(start, length)
        if (bytes.length === length) return bytes
      } finally {
        await input.close()
      }
    } catch (error) {
      this.#logger.warn({ uri, error }, 'Local copy of state cannot be read: the checkpoint storage is')
    }
    this.#checked.set(path, Promise.resolve(undefined))
    return undefined
  }

  async #find(path: string, sizeBytes: number): Promise<string | undefined> {
    const [, chk, name] = STATE_FILE.exec(path) ?? []
    if (chk === undefined || name === undefined) return undefined
    for (const folder of this.#folders) {
      const uri = joinUri(folder, chk, name)
      try {
        if ((await this.#fileSystem.status(uri)) === undefined) continue
        if (await this.#isWhole(uri, sizeBytes)) {
          this.#logger.info({ uri, sizeBytes }, 'State is read from its local copy')
          return uri
        }
        this.#logger.warn({ uri }, 'Local copy of state is damaged: the checkpoint storage is read')
        await this.#fileSystem.delete(uri)
      } catch (error) {
        this.#logger.warn({ uri, error }, 'Local copy of state cannot be read: the checkpoint storage is')
      }
    }
    return undefined
  }

  async #isWhole(uri: string, sizeBytes: number): Promise<boolean> {
    const input = await this.#fileSystem.open(uri)
    try {
      if (input.sizeBytes !== sizeBytes + COPY_TAIL_BYTES) return false
      let crc = 0
      for (let offset = 0; offset < sizeBytes; offset += BLOCK_BYTES) {
        const block = await input.read(offset, Math.min(BLOCK_BYTES, sizeBytes - offset))
        crc = crc32(block, crc)
      }
      return copyTail(crc).equals(await input.read(sizeBytes, COPY_TAIL_BYTES))
    } finally {
      await input.close()
    }
  }

  #copyFailed(checkpointId: number, error: unknown): void {
    if (this.#warnedOf === checkpointId) return
    this.#warnedOf = checkpointId
    this.#logger.warn(
      { checkpointId, error },
      'Local copy of state not written: a restart reads it from the checkpoint storage',
    )
  }
}
