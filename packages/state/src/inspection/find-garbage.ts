import type { FileStatus, FileSystem } from '@flink-ts/filesystem'
import type { CheckpointMetadata } from '../snapshot/state-handle.ts'
import { isCheckpoint, METADATA_FILE, readMetadataFile } from '../storage/metadata-file.ts'

/** A file below a checkpoint directory. */
interface CheckpointFile {
  readonly uri: string
  readonly sizeBytes: number
  readonly modifiedAt: number
}

/** What belongs to whom below a checkpoint directory. */
export interface CheckpointReferences {
  /** Complete checkpoints and savepoints: URI of the folder, with how many files it refers to. */
  readonly snapshots: readonly { readonly uri: string; readonly files: number; readonly sizeBytes: number }[]
  /** Files that no complete snapshot below the directory refers to, with the reason. */
  readonly garbage: readonly (CheckpointFile & { readonly reason: string })[]
  /** Snapshots that can't be read: what they refer to is not known, so that nothing of their job is garbage. */
  readonly unreadable: readonly { readonly uri: string; readonly reason: string }[]
}

/**
 * Goes through a checkpoint directory (of all jobs or of one) and finds files that nothing refers to: what killed
 * processes left. Changes nothing. Files of jobs that run are among them until their checkpoint is complete.
 */
export async function findGarbage(fileSystem: FileSystem, directory: string): Promise<CheckpointReferences> {
  const files = await filesBelow(fileSystem, directory)
  const folders = files.filter(({ uri }) => nameOf(uri) === METADATA_FILE).map(({ uri }) => folderOf(uri))
  const referred = new Set<string>()
  const snapshots: { uri: string; files: number; sizeBytes: number }[] = []
  const unreadable: { uri: string; reason: string }[] = []
  for (const uri of folders) {
    try {
      const locations = locationsOf(await readMetadataFile(fileSystem, uri))
      for (const { path } of locations) referred.add(path)
      let sizeBytes = 0
      for (const location of locations) sizeBytes += location.sizeBytes
      snapshots.push({ uri, files: locations.length, sizeBytes })
    } catch (error) {
      unreadable.push({ uri, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  const untouchable = unreadable.map(({ uri }) => `${folderOf(uri)}/`)
  const complete = new Set(folders)
  // A checkpoint that a later one has replaced loses its metadata, and keeps its files while others refer to some.
  const replaced = new Set([...referred].map(folderOf))
  const garbage = files.flatMap(({ uri, sizeBytes, modifiedAt }) => {
    const reason = reasonFor(uri, complete, replaced)
    if (reason === undefined || referred.has(uri)) return []
    return untouchable.some(prefix => uri.startsWith(prefix)) ? [] : [{ uri, sizeBytes, modifiedAt, reason }]
  })
  return { snapshots, garbage, unreadable }
}

/** Why a file that nothing refers to is one of ours; undefined: it is not, or is needed. */
function reasonFor(
  uri: string,
  complete: ReadonlySet<string>,
  replaced: ReadonlySet<string>,
): string | undefined {
  const folder = folderOf(uri)
  if (nameOf(uri) === METADATA_FILE) return undefined
  if (isCheckpoint(folder)) {
    if (complete.has(folder)) return 'no snapshot refers to it'
    return replaced.has(folder) ? 'its checkpoint was replaced' : 'its checkpoint was never completed'
  }
  return /\/(shared|taskowned)$/.test(folder) ? 'no snapshot refers to it' : undefined
}

async function filesBelow(fileSystem: FileSystem, directory: string, depth = 0): Promise<FileStatus[]> {
  const files: FileStatus[] = []
  // <dir>/<job>/chk-<n>/<file>: deeper folders are not ours.
  if (depth > 3) return files
  for (const status of await fileSystem.list(directory)) {
    if (status.isDirectory) files.push(...(await filesBelow(fileSystem, status.uri, depth + 1)))
    else files.push(status)
  }
  return files
}

function locationsOf(metadata: CheckpointMetadata): { path: string; sizeBytes: number }[] {
  const locations = metadata.operators.flatMap(operator =>
    operator.subtasks.flatMap(({ state }) =>
      [...state.keyed, ...state.operator, ...(state.inputs ?? [])].map(({ location }) => location),
    ),
  )
  return locations.flatMap(location => (location.type === 'file' ? [location] : []))
}

function folderOf(uri: string): string {
  return uri.slice(0, uri.lastIndexOf('/'))
}

function nameOf(uri: string): string {
  return decodeURIComponent(uri.slice(uri.lastIndexOf('/') + 1))
}
