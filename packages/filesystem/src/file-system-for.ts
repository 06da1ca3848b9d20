import { nearest } from '@flink-ts/common'
import type { FileSystem } from './api/file-system.ts'
import { InvalidUri, UnsupportedScheme } from './errors.ts'
import { LocalFileSystem } from './local/local-file-system.ts'
import { schemeOf } from './uri/uri.ts'

const FILE_SYSTEMS: ReadonlyMap<string, FileSystem> = new Map([['file', new LocalFileSystem()]])

/** Those that people use elsewhere: for proposals only. */
const OTHER_SCHEMES = ['hdfs', 'webhdfs', 's3', 's3a', 'http', 'https']

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
  if (fileSystem !== undefined) return fileSystem
  const known = [...FILE_SYSTEMS.keys()]
  const meant = nearest(scheme, [...known, ...OTHER_SCHEMES], 2)
  throw UnsupportedScheme({ uri, scheme, known, meant: meant === scheme ? undefined : meant })
}
