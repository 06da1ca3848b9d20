// Owns: access to files by URI scheme.
// Called by: state (checkpoint storage), connectors, jobgraph, dispatcher.
// Calls: node:fs; later HDFS and S3 clients.
// Thread: any.
export type { FileInput, FileOutput, FileStatus, FileSystem } from './api/file-system.ts'
export {
  AccessDenied,
  FileAlreadyExists,
  FileIoFailed,
  FileNotFound,
  FileTooShort,
  InvalidPathPart,
  InvalidUri,
  UnsupportedScheme,
  WrongFileType,
} from './errors.ts'
export { fileSystemFor } from './file-system-for.ts'
export { LocalFileSystem } from './local/local-file-system.ts'
export { joinUri, schemeOf, toUri, uriToPath } from './uri/uri.ts'
