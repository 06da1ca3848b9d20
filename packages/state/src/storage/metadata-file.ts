import { FileNotFound, type FileSystem, joinUri, toUri } from '@flink-ts/filesystem'
import { CheckpointNotFound, CorruptSnapshot } from '../errors.ts'
import { decodeMetadata } from '../snapshot/checkpoint-metadata.ts'
import type { CheckpointMetadata } from '../snapshot/state-handle.ts'

/** Name of the file that makes a folder a complete checkpoint or savepoint. */
export const METADATA_FILE = '_metadata'

/** The folder that a user names: itself or its `_metadata`, as URI or path. */
export function snapshotFolderOf(pointer: string): string {
  const uri = toUri(pointer)
  return uri.endsWith(`/${METADATA_FILE}`) ? uri.slice(0, -METADATA_FILE.length - 1) : uri
}

/**
 * Reads the metadata of a snapshot; paths of its files are absolute in it.
 * @throws state.checkpoint-not-found, with what to give instead; state.not-a-checkpoint; state.newer-format
 */
export async function readMetadataFile(fileSystem: FileSystem, pointer: string): Promise<CheckpointMetadata> {
  const folder = snapshotFolderOf(pointer)
  let content: Buffer
  try {
    content = await fileSystem.readFile(joinUri(folder, METADATA_FILE))
  } catch (error) {
    if (!FileNotFound.is(error)) throw error
    throw CheckpointNotFound({ pointer: folder, hint: await hintFor(fileSystem, folder) }, error)
  }
  return decodeMetadata(content, folder, path => fromStored(path, folder))
}

/** Folders of complete checkpoints in the folder of a job, the newest first. */
export async function completeCheckpointsIn(
  fileSystem: FileSystem,
  folder: string,
): Promise<readonly string[]> {
  const complete: string[] = []
  for (const { uri, isDirectory } of await fileSystem.list(folder)) {
    if (!isDirectory || !isCheckpoint(uri)) continue
    if ((await fileSystem.status(joinUri(uri, METADATA_FILE))) !== undefined) complete.push(uri)
  }
  return complete.sort((a, b) => numberOf(b) - numberOf(a))
}

/** URIs of all state files that a snapshot refers to. */
export function filesOf(metadata: CheckpointMetadata): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const { subtasks } of metadata.operators) {
    for (const { state } of subtasks) {
      for (const { location } of [...state.keyed, ...state.operator, ...(state.inputs ?? [])]) {
        if (location.type === 'file') paths.add(location.path)
      }
    }
  }
  return paths
}

/** Folders in which these snapshots have files. Throws if one of them can't be read. */
export async function foldersNeededBy(
  fileSystem: FileSystem,
  snapshots: readonly string[],
): Promise<ReadonlySet<string>> {
  const folders = new Set<string>()
  for (const snapshot of snapshots) {
    for (const path of filesOf(await readMetadataFile(fileSystem, snapshot)))
      folders.add(path.slice(0, path.lastIndexOf('/')))
  }
  return folders
}

/** Whether this is the name of a checkpoint's folder. */
export function isCheckpoint(uri: string): boolean {
  return /\/chk-\d+$/.test(uri)
}

function numberOf(checkpointUri: string): number {
  return Number(checkpointUri.slice(checkpointUri.lastIndexOf('-') + 1))
}

async function hintFor(fileSystem: FileSystem, folder: string): Promise<string> {
  const status = await fileSystem.status(folder)
  if (status === undefined)
    return 'The folder does not exist: check the path, also on the host of the JobManager.'
  if (!status.isDirectory) return 'Give the folder chk-<n> of a checkpoint or its file _metadata.'
  const complete = await completeCheckpointsIn(fileSystem, folder)
  if (complete.length > 0) return `Did you mean ${complete[0]}?`
  return 'Give the folder chk-<n> of a checkpoint that was completed.'
}

function fromStored(path: string, folder: string): string {
  if (/^[a-z][a-z0-9+.-]+:\//i.test(path)) return path
  const [base, name] = path.startsWith('../')
    ? [folder.slice(0, folder.lastIndexOf('/')), path.slice(3)]
    : [folder, path]
  // Stored encoded; joinUri would encode again, so the parts are only checked.
  const parts = name.split('/')
  if (parts.some(part => part === '' || part === '.' || part === '..' || part.includes('\\'))) {
    throw CorruptSnapshot({ where: folder, reason: `it names a state file '${path}'` })
  }
  return `${base}/${name}`
}
