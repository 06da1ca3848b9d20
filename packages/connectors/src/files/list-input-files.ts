import { type FileStatus, fileSystemFor } from '@flink-ts/filesystem'
import { PathNotFound } from '../errors.ts'

/**
 * All files at and below the given URIs, each once: folders are walked, names that begin with `.` or `_` are skipped
 * (unfinished or auxiliary files). In order of the URIs given, then by name. Throws `connectors.path-not-found`.
 */
export async function listInputFiles(uris: readonly string[]): Promise<readonly FileStatus[]> {
  const found = new Map<string, FileStatus>()
  const walk = async (status: FileStatus): Promise<void> => {
    if (!status.isDirectory) {
      found.set(status.uri, status)
      return
    }
    for (const child of await fileSystemFor(status.uri).list(status.uri)) {
      const name = child.uri.slice(child.uri.lastIndexOf('/') + 1)
      if (!name.startsWith('.') && !name.startsWith('_')) await walk(child)
    }
  }
  for (const uri of uris) {
    const status = await fileSystemFor(uri).status(uri)
    if (status === undefined) throw PathNotFound({ path: uri })
    await walk(status)
  }
  return [...found.values()]
}
