import type { FileSystem } from './api/file-system.ts'
import { InvalidUri, UnsupportedScheme } from './errors.ts'
import { LocalFileSystem } from './local/local-file-system.ts'
import { schemeOf } from './uri/uri.ts'

const FILE_SYSTEMS: ReadonlyMap<string, FileSystem> = new Map([['file', new LocalFileSystem()]])

/**
 * The file system of an absolute URI's scheme. Throws `filesystem.unsupported-scheme`, and `filesystem.invalid-uri`
 * for plain paths (see {@link toUri}).
 */
export function fileSystemFor(uri: string): FileSystem {
  const scheme = schemeOf(uri)
  if (scheme === undefined) {
    throw InvalidUri({ uri, reason: 'an absolute URI such as file:///folder/name is needed here' })
  }
  const fileSystem = FILE_SYSTEMS.get(scheme)
  if (fileSystem === undefined) throw UnsupportedScheme({ uri, scheme, known: [...FILE_SYSTEMS.keys()] })
  return fileSystem
}
