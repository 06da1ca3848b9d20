// Owns: access to files by URI scheme.
// Called by: state (checkpoint storage), connectors, jobgraph, dispatcher, taskmanager, cluster, cli.
// Calls: node:fs, the S3 client of the AWS SDK, WebHDFS over HTTP; each loaded when it is first used.
// Thread: any.
export type { FileInput, FileOutput, FileStatus, FileSystem } from './api/file-system.ts'
export type { FileSystemFactory } from './api/file-system-factory.ts'
export type { PendingFile, RecoverableOutput, RecoverableWriter } from './api/recoverable-writer.ts'
export {
  AccessDenied,
  FileAlreadyExists,
  FileIoFailed,
  FileNotFound,
  FileSystemNotLoaded,
  InvalidPathPart,
  InvalidUri,
  PendingFileLost,
  StorageMisconfigured,
  UnsupportedScheme,
  WrongFileType,
} from './errors.ts'
export { configureFileSystems, fileSystemFor } from './file-system-for.ts'
export { LocalFileSystem } from './local/local-file-system.ts'
export { joinUri, schemeOf, toUri, uriToPath } from './uri/uri.ts'
