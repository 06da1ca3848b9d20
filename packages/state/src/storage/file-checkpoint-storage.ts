import type { Random } from '@flink-ts/common'
import { FileAlreadyExists, type FileSystem, joinUri, toUri } from '@flink-ts/filesystem'
import { CheckpointAlreadyCompleted, CheckpointDirectoryUnusable, CorruptSnapshot } from '../errors.ts'
import { encodeMetadata } from '../snapshot/checkpoint-metadata.ts'
import type { CheckpointMetadata, StateLocation } from '../snapshot/state-handle.ts'
import type { CheckpointStorage, CheckpointStreamFactory } from './checkpoint-storage.ts'
import {
  completeCheckpointsIn,
  foldersNeededBy,
  isCheckpoint,
  METADATA_FILE,
  readMetadataFile,
} from './metadata-file.ts'
import { stateStreams } from './state-streams.ts'
import { inStorage } from './storage-failure.ts'

const SHARED_FOLDERS = ['shared', 'taskowned']

/**
 * Checkpoints of one job as files: `<directory>/<job id>/chk-<n>/_metadata` beside the state files, `shared/` and
 * `taskowned/`. Locations are URIs; in `_metadata` they are relative, so that the folder can be moved or copied. A
 * checkpoint without `_metadata` is not complete. Without state of its own; any thread.
 */
export class FileCheckpointStorage implements CheckpointStorage {
  readonly #directoryUri: string
  readonly #jobUri: string
  readonly #inlineThresholdBytes: number
  readonly #fileSystem: FileSystem
  readonly #random: Random

  /** @param options `directory`: URI or path that all hosts of the cluster can reach */
  constructor(
    options: { directory: string; jobId: string; inlineThresholdBytes: number },
    dependencies: { fileSystem: FileSystem; random: Random },
  ) {
    this.#directoryUri = toUri(options.directory)
    this.#jobUri = joinUri(this.#directoryUri, options.jobId)
    this.#inlineThresholdBytes = options.inlineThresholdBytes
    this.#fileSystem = dependencies.fileSystem
    this.#random = dependencies.random
  }

  async prepare(): Promise<void> {
    const probe = joinUri(this.#directoryUri, `.probe-${this.#random.bytes(8).toString('hex')}`)
    try {
      await this.#fileSystem.writeFile(probe, Buffer.from('written to see that it can be'), 'create')
      await this.#fileSystem.delete(probe)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw CheckpointDirectoryUnusable({ directory: this.#directoryUri, reason }, error)
    }
  }

  streams(checkpointId: number, attempt: string): CheckpointStreamFactory {
    const folder = this.#checkpointUri(checkpointId)
    const options = { folder, attempt, inlineThresholdBytes: this.#inlineThresholdBytes }
    return stateStreams(options, { fileSystem: this.#fileSystem, random: this.#random })
  }

  async read(location: StateLocation): Promise<Buffer> {
    if (location.type === 'inline') return Buffer.from(location.base64, 'base64')
    const content = await inStorage(() => this.#fileSystem.readFile(location.path))
    if (content.length !== location.sizeBytes) throw wrongSize(location, content.length)
    return content
  }

  async readRange(location: StateLocation, start: number, end: number): Promise<Buffer> {
    if (location.type === 'inline') return Buffer.from(location.base64, 'base64').subarray(start, end)
    return inStorage(async () => {
      const input = await this.#fileSystem.open(location.path)
      try {
        if (input.sizeBytes !== location.sizeBytes) throw wrongSize(location, input.sizeBytes)
        return await input.read(start, end - start)
      } finally {
        await input.close()
      }
    })
  }

  async complete(metadata: CheckpointMetadata): Promise<string> {
    const { checkpointId } = metadata
    const pointer = this.#checkpointUri(checkpointId)
    const content = encodeMetadata(metadata, path => toStored(path, pointer, this.#jobUri))
    await inStorage(async () => {
      for (const name of SHARED_FOLDERS) await this.#fileSystem.makeDirectory(joinUri(this.#jobUri, name))
      try {
        await this.#fileSystem.writeFile(joinUri(pointer, METADATA_FILE), content, 'create')
      } catch (error) {
        if (FileAlreadyExists.is(error)) throw CheckpointAlreadyCompleted({ pointer, checkpointId }, error)
        throw error
      }
    })
    return pointer
  }

  /** @param pointer folder of a checkpoint or its `_metadata`, as URI or path */
  readMetadata(pointer: string): Promise<CheckpointMetadata> {
    return readMetadataFile(this.#fileSystem, pointer)
  }

  async retire(checkpointId: number): Promise<void> {
    await this.#fileSystem.delete(joinUri(this.#checkpointUri(checkpointId), METADATA_FILE))
  }

  async discard(checkpointId: number): Promise<void> {
    await this.#fileSystem.delete(this.#checkpointUri(checkpointId), { recursive: true })
  }

  async discardJob(): Promise<void> {
    const complete = await completeCheckpointsIn(this.#fileSystem, this.#jobUri)
    if (complete.length === 0) {
      await this.#fileSystem.delete(this.#jobUri, { recursive: true })
      return
    }
    const needed = await foldersNeededBy(this.#fileSystem, complete)
    // What is retained may refer to files of others; unfinished checkpoints are of no use to anyone.
    for (const { uri, isDirectory } of await this.#fileSystem.list(this.#jobUri)) {
      if (isDirectory && isCheckpoint(uri) && !complete.includes(uri) && !needed.has(uri)) {
        await this.#fileSystem.delete(uri, { recursive: true })
      }
    }
  }

  #checkpointUri(checkpointId: number): string {
    return joinUri(this.#jobUri, `chk-${checkpointId}`)
  }
}

/** `name` for files of the checkpoint itself, `../chk-3/name` for those of others of the job, else the URI. */
function toStored(path: string, checkpointUri: string, jobUri: string): string {
  if (path.startsWith(`${checkpointUri}/`)) return path.slice(checkpointUri.length + 1)
  const below = path.startsWith(`${jobUri}/`) ? path.slice(jobUri.length) : ''
  return /^\/(shared|taskowned|chk-\d+)\//.test(below) ? `..${below}` : path
}

function wrongSize(location: StateLocation & { type: 'file' }, sizeBytes: number): Error {
  return CorruptSnapshot({
    where: location.path,
    reason: `it has ${sizeBytes} bytes instead of ${location.sizeBytes}`,
  })
}
