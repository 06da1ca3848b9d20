import { isFlinkError, type Random } from '@flink-ts/common'
import { FileAlreadyExists, type FileSystem, joinUri, toUri } from '@flink-ts/filesystem'
import { CheckpointAlreadyCompleted, CorruptSnapshot, SavepointDirectoryUnusable } from '../errors.ts'
import { encodeMetadata } from '../snapshot/checkpoint-metadata.ts'
import type { CheckpointMetadata, OperatorSubtaskState, StateLocation } from '../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from './checkpoint-storage.ts'
import {
  completeCheckpointsIn,
  filesOf,
  isCheckpoint,
  METADATA_FILE,
  readMetadataFile,
  snapshotFolderOf,
} from './metadata-file.ts'
import type { FoundSnapshot, SavepointStorage } from './savepoint-storage.ts'
import { stateStreams } from './state-streams.ts'
import { inStorage } from './storage-failure.ts'

const COPY_BYTES = 1 << 20

/** Savepoints as files, in any scheme that has a file system. */
export class FileSavepointStorage implements SavepointStorage {
  readonly #inlineThresholdBytes: number
  readonly #fileSystemFor: (uri: string) => FileSystem
  readonly #random: Random

  constructor(
    options: { readonly inlineThresholdBytes: number },
    dependencies: { readonly fileSystemFor: (uri: string) => FileSystem; readonly random: Random },
  ) {
    this.#inlineThresholdBytes = options.inlineThresholdBytes
    this.#fileSystemFor = dependencies.fileSystemFor
    this.#random = dependencies.random
  }

  async newFolder(directory: string, jobId: string): Promise<string> {
    const random = this.#random.bytes(6).toString('hex')
    try {
      const folder = joinUri(toUri(directory), `savepoint-${jobId.slice(0, 6)}-${random}`)
      const fileSystem = this.#fileSystemFor(folder)
      // Only to see that it can be: it comes into being with its first file.
      await fileSystem.makeDirectory(folder)
      await fileSystem.delete(folder, { recursive: true })
      return folder
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw SavepointDirectoryUnusable({ directory, reason }, error)
    }
  }

  streams(folder: string, attempt: string): CheckpointStreamFactory {
    const inlineThresholdBytes = this.#inlineThresholdBytes
    const dependencies = { fileSystem: this.#fileSystemFor(folder), random: this.#random }
    return { ...stateStreams({ folder, attempt, inlineThresholdBytes }, dependencies), selfContained: true }
  }

  async complete(folder: string, metadata: CheckpointMetadata): Promise<FoundSnapshot> {
    const { checkpointId } = metadata
    const fileSystem = this.#fileSystemFor(folder)
    return inStorage(async () => {
      const own = await this.#copyForeign(folder, metadata)
      const content = encodeMetadata(own, path => path.slice(folder.length + 1))
      try {
        await fileSystem.writeFile(joinUri(folder, METADATA_FILE), content, 'create')
      } catch (error) {
        if (!FileAlreadyExists.is(error)) throw error
        throw CheckpointAlreadyCompleted({ pointer: folder, checkpointId }, error)
      }
      return { pointer: folder, metadata: own }
    })
  }

  async discard(pointer: string): Promise<void> {
    const folder = snapshotFolderOf(pointer)
    const fileSystem = this.#fileSystemFor(folder)
    const needed = await neededByOthers(fileSystem, folder)
    const builtUpon = await foldersBuiltUpon(fileSystem, folder)
    await this.#discardFolder(folder, needed)
    await removeRetired(fileSystem, builtUpon, needed)
  }

  async #discardFolder(folder: string, needed: ReadonlySet<string>): Promise<void> {
    const fileSystem = this.#fileSystemFor(folder)
    if (![...needed].some(path => path.startsWith(`${folder}/`))) {
      await fileSystem.delete(folder, { recursive: true })
      return
    }
    // Without it nobody takes what is left for a checkpoint, should this be interrupted.
    await fileSystem.delete(joinUri(folder, METADATA_FILE))
    for (const { uri, isDirectory } of await fileSystem.list(folder)) {
      if (!needed.has(uri)) await fileSystem.delete(uri, { recursive: isDirectory })
    }
  }

  async dispose(pointer: string): Promise<void> {
    const folder = snapshotFolderOf(pointer)
    const fileSystem = this.#fileSystemFor(folder)
    const metadata = await readMetadataFile(fileSystem, folder)
    const needed = await neededByOthers(fileSystem, folder)
    await inStorage(async () => {
      // Without it nobody takes what is left for a savepoint, should this be interrupted.
      await fileSystem.delete(joinUri(folder, METADATA_FILE))
      for (const path of filesOf(metadata)) {
        if (path.startsWith(`${folder}/`) && !needed.has(path)) await fileSystem.delete(path)
      }
      if ((await fileSystem.list(folder)).length === 0) await fileSystem.delete(folder, { recursive: true })
      await removeRetired(fileSystem, earlierFolders(metadata, folder), needed)
    })
  }

  readMetadata(pointer: string): Promise<CheckpointMetadata> {
    const folder = snapshotFolderOf(pointer)
    return readMetadataFile(this.#fileSystemFor(folder), folder)
  }

  async findLatest(directories: readonly string[], jobName: string): Promise<FoundSnapshot | undefined> {
    let latest: FoundSnapshot | undefined
    for (const directory of directories) {
      for (const pointer of await this.#snapshotsIn(toUri(directory))) {
        const metadata = await this.readMetadata(pointer).catch(() => undefined) // Not usable: others may be.
        if (metadata === undefined || metadata.jobName !== jobName) continue
        if (latest === undefined || isNewer(metadata, latest.metadata)) latest = { pointer, metadata }
      }
    }
    return latest
  }

  async read(location: StateLocation): Promise<Buffer> {
    if (location.type === 'inline') return Buffer.from(location.base64, 'base64')
    return this.readRange(location, 0, location.sizeBytes)
  }

  async readRange(location: StateLocation, start: number, end: number): Promise<Buffer> {
    if (location.type === 'inline') return Buffer.from(location.base64, 'base64').subarray(start, end)
    return inStorage(async () => {
      const input = await this.#fileSystemFor(location.path).open(location.path)
      try {
        if (input.sizeBytes !== location.sizeBytes) {
          const reason = `it has ${input.sizeBytes} bytes instead of ${location.sizeBytes}`
          throw CorruptSnapshot({ where: location.path, reason })
        }
        return await input.read(start, end - start)
      } finally {
        await input.close()
      }
    })
  }

  /** Savepoints, and the checkpoints of all jobs. */
  async #snapshotsIn(directory: string): Promise<readonly string[]> {
    const fileSystem = this.#fileSystemFor(directory)
    const found: string[] = []
    for (const { uri, isDirectory } of await fileSystem.list(directory)) {
      if (!isDirectory) continue
      const isComplete = (await fileSystem.status(joinUri(uri, METADATA_FILE))) !== undefined
      if (isComplete) found.push(uri)
      else found.push(...(await completeCheckpointsIn(fileSystem, uri)))
    }
    return found
  }

  /** State of tasks that have finished is in the checkpoint before: it comes into the folder too. */
  async #copyForeign(folder: string, metadata: CheckpointMetadata): Promise<CheckpointMetadata> {
    const copies = new Map<string, string>()
    for (const path of filesOf(metadata)) {
      if (path.startsWith(`${folder}/`)) continue
      const name = path.slice(path.lastIndexOf('/') + 1)
      const copy = `${folder}/${name}`
      await this.#copy(path, copy)
      copies.set(path, copy)
    }
    if (copies.size === 0) return metadata
    const move = <H extends { readonly location: StateLocation }>(handle: H): H => {
      if (handle.location.type === 'inline') return handle
      const { path } = handle.location
      return { ...handle, location: { ...handle.location, path: copies.get(path) ?? path } }
    }
    const moved = (state: OperatorSubtaskState): OperatorSubtaskState => ({
      ...state,
      keyed: state.keyed.map(move),
      operator: state.operator.map(move),
      ...(state.inputs !== undefined && { inputs: state.inputs.map(move) }),
    })
    const operators = metadata.operators.map(operator => ({
      ...operator,
      subtasks: operator.subtasks.map(({ index, state }) => ({ index, state: moved(state) })),
    }))
    return { ...metadata, operators }
  }

  async #copy(from: string, to: string): Promise<void> {
    const input = await this.#fileSystemFor(from).open(from)
    try {
      const output = await this.#fileSystemFor(to).create(to, 'overwrite')
      try {
        for (let offset = 0; offset < input.sizeBytes; offset += COPY_BYTES) {
          await output.write(await input.read(offset, COPY_BYTES))
        }
        await output.sync()
        await output.close()
      } catch (error) {
        // The first error says what went wrong; the rest goes with the folder.
        await output.abort().catch(() => undefined)
        throw error
      }
    } finally {
      await input.close()
    }
  }
}

/** Folders of earlier checkpoints of the job that have files of this one. */
function earlierFolders(metadata: CheckpointMetadata, folder: string): readonly string[] {
  if (!isCheckpoint(folder)) return []
  const job = folder.slice(0, folder.lastIndexOf('/') + 1)
  const folders = [...filesOf(metadata)].map(path => path.slice(0, path.lastIndexOf('/')))
  return [...new Set(folders)].filter(
    other => other !== folder && other.startsWith(job) && isCheckpoint(other),
  )
}

async function foldersBuiltUpon(fileSystem: FileSystem, folder: string): Promise<readonly string[]> {
  if (!isCheckpoint(folder)) return []
  try {
    return earlierFolders(await readMetadataFile(fileSystem, folder), folder)
  } catch (error) {
    // Discarded before, at least in part, or damaged: it is to go all the same.
    if (isFlinkError(error) && error.code.startsWith('state.')) return []
    throw error
  }
}

/** Removes folders that were kept for their files only, once nobody needs these. */
async function removeRetired(
  fileSystem: FileSystem,
  folders: readonly string[],
  needed: ReadonlySet<string>,
): Promise<void> {
  for (const folder of folders) {
    const isComplete = (await fileSystem.status(joinUri(folder, METADATA_FILE))) !== undefined
    if (isComplete || [...needed].some(path => path.startsWith(`${folder}/`))) continue
    await fileSystem.delete(folder, { recursive: true })
  }
}

/** If it is a checkpoint, later ones of the job may build upon it: what they refer to. Throws if one of them can't be read. */
async function neededByOthers(fileSystem: FileSystem, folder: string): Promise<ReadonlySet<string>> {
  const paths = new Set<string>()
  if (!isCheckpoint(folder)) return paths
  for (const other of await completeCheckpointsIn(fileSystem, folder.slice(0, folder.lastIndexOf('/')))) {
    if (other === folder) continue
    for (const path of filesOf(await readMetadataFile(fileSystem, other))) paths.add(path)
  }
  return paths
}

function isNewer(a: CheckpointMetadata, b: CheckpointMetadata): boolean {
  return a.timestamp === b.timestamp ? a.checkpointId > b.checkpointId : a.timestamp > b.timestamp
}
