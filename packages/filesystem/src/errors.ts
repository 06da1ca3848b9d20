import { defineError } from '@flink-ts/common'

/** The file or folder is not there. */
export const FileNotFound = defineError<{ uri: string; operation: string }>({
  code: 'filesystem.not-found',
  domain: 'external',
  retry: 'no',
  message: d => `Could not ${d.operation} ${d.uri}: it does not exist. Check the path, also on this host.`,
})

/** Something is already where a new file was to be made. */
export const FileAlreadyExists = defineError<{ uri: string; operation: string }>({
  code: 'filesystem.already-exists',
  domain: 'external',
  retry: 'no',
  message: d =>
    `Could not ${d.operation} ${d.uri}: it exists already. Choose another path or remove it first.`,
})

/** This process may not do that there. */
export const AccessDenied = defineError<{ uri: string; operation: string; reason: string }>({
  code: 'filesystem.access-denied',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Could not ${d.operation} ${d.uri}: ${d.reason}. Give the user of this process the rights, or choose another path.`,
})

/** Everything else that the storage reports: full, broken, unreachable. */
export const FileIoFailed = defineError<{ uri: string; operation: string; reason: string; hint: string }>({
  code: 'filesystem.io',
  domain: 'external',
  retry: 'backoff',
  message: d => `Could not ${d.operation} ${d.uri}: ${d.reason}. ${d.hint}`,
})

/** A file is where a folder was expected, or the reverse. */
export const WrongFileType = defineError<{ uri: string; operation: string; expected: string }>({
  code: 'filesystem.wrong-file-type',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Could not ${d.operation} ${d.uri}: it is not a ${d.expected}. Give the path of a ${d.expected}.`,
})

/** A file that waited for its commit is not there any more, or not whole. */
export const PendingFileLost = defineError<{ inProgress: string; final: string; reason: string }>({
  code: 'filesystem.pending-file-lost',
  domain: 'external',
  retry: 'no',
  message: d =>
    `Could not commit ${d.inProgress} as ${d.final}: ${d.reason}. Something else changed or removed it; restore it, ` +
    'or restore the job from a checkpoint that does not need it.',
})

/** The storage can't be used with the settings given. */
export const StorageMisconfigured = defineError<{
  uri: string
  operation: string
  reason: string
  remedy: string
}>({
  code: 'filesystem.misconfigured',
  domain: 'user',
  retry: 'no',
  message: d => `Could not ${d.operation} ${d.uri}: ${d.reason}. ${d.remedy}`,
})

/** The module of `fs.plugins` for a scheme is no file system. */
export const FileSystemNotLoaded = defineError<{ scheme: string; module: string; reason: string }>({
  code: 'filesystem.not-loaded',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The file system for '${d.scheme}:' could not be loaded from ${d.module} (fs.plugins): ${d.reason}. ` +
    'Install the package on every host, or correct the name.',
})

/** A text that is no usable URI or path. */
export const InvalidUri = defineError<{ uri: string; reason: string }>({
  code: 'filesystem.invalid-uri',
  domain: 'user',
  retry: 'no',
  message: d => `'${d.uri}' is no usable path: ${d.reason}.`,
})

/** A part of a path that would lead out of its folder. */
export const InvalidPathPart = defineError<{ base: string; part: string }>({
  code: 'filesystem.invalid-path-part',
  domain: 'user',
  retry: 'no',
  message: d =>
    `'${d.part}' can't be a name below ${d.base}: ` +
    "names must not be empty, '.' or '..', nor contain '/', '\\', NUL or lone surrogates.",
})

/** No file system for the scheme of a URI. */
export const UnsupportedScheme = defineError<{
  uri: string
  scheme: string
  known: readonly string[]
  meant: string | undefined
}>({
  code: 'filesystem.unsupported-scheme',
  domain: 'user',
  retry: 'no',
  message: d =>
    `No file system for '${d.scheme}:' (${d.uri}). ${d.meant === undefined ? '' : `Did you mean ${d.meant}:? `}` +
    `Known schemes: ${d.known.join(', ')}.`,
})

/** Turns an error of node:fs into one of ours; those of ours pass unchanged. */
export function toFileSystemError(error: unknown, operation: string, uri: string): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.name === 'FlinkError') return error
  const code = String(error.code)
  switch (code) {
    case 'ENOENT':
      return FileNotFound({ uri, operation }, error)
    case 'EEXIST':
      return FileAlreadyExists({ uri, operation }, error)
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return AccessDenied(
        { uri, operation, reason: code === 'EROFS' ? 'read-only storage' : 'no rights' },
        error,
      )
    case 'EISDIR':
      return WrongFileType({ uri, operation, expected: 'file' }, error)
    case 'ENOTDIR':
      return WrongFileType({ uri, operation, expected: 'folder' }, error)
    default:
      return FileIoFailed(
        { uri, operation, reason: REASONS[code] ?? error.message, hint: hintFor(code) },
        error,
      )
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EMFILE: 'too many open files in this process',
  ENFILE: 'too many open files on this host',
  ENOTEMPTY: 'the folder is not empty',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the device reported an error',
}

function hintFor(code: string): string {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'Free space there or choose another path.'
  if (code === 'EMFILE' || code === 'ENFILE') return 'Raise the limit of open files (ulimit -n).'
  if (code === 'ENOTEMPTY') return 'Remove its content first, or delete it recursively.'
  return 'Check the storage behind the path.'
}
