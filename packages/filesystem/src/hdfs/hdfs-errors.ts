import {
  AccessDenied,
  FileAlreadyExists,
  FileIoFailed,
  FileNotFound,
  InvalidUri,
  WrongFileType,
} from '../errors.ts'
import type { HttpAnswer } from './http-exchange.ts'

/** What a call is for, as messages say it. */
export interface HdfsPurpose {
  readonly uri: string
  readonly operation: string
}

/** What a server of HDFS says went wrong. */
export interface RemoteFailure {
  /** Name of the Java exception without its package; empty: no answer of WebHDFS. */
  readonly exception: string
  readonly message: string
}

/** What an answer that is no success says. */
export function remoteFailureOf({ status, body }: HttpAnswer): RemoteFailure {
  try {
    const { RemoteException } = JSON.parse(body.toString()) as {
      readonly RemoteException?: { readonly exception?: string; readonly message?: string }
    }
    const exception = RemoteException?.exception ?? ''
    return { exception, message: RemoteException?.message?.split('\n')[0] ?? `HTTP ${status}` }
  } catch {
    // Not WebHDFS: a proxy, a login page, another service.
    return { exception: '', message: `HTTP ${status}` }
  }
}

const NOT_EMPTY = 'Remove its content first, or delete it recursively.'

/** The error of file systems for an answer that is no success. */
export function toHdfsError(answer: HttpAnswer, server: string, purpose: HdfsPurpose): Error {
  const { exception, message } = remoteFailureOf(answer)
  const io = (reason: string, hint: string): Error => FileIoFailed({ ...purpose, reason, hint })
  switch (exception) {
    case 'FileNotFoundException':
      return FileNotFound(purpose)
    case 'FileAlreadyExistsException':
      return FileAlreadyExists(purpose)
    case 'AccessControlException':
    case 'SecurityException':
    case 'AuthorizationException':
      return AccessDenied({ ...purpose, reason: `${server} answered ${message}` })
    case 'ParentNotDirectoryException':
      return WrongFileType({ ...purpose, expected: 'folder' })
    case 'PathIsNotDirectoryException':
      return WrongFileType({ ...purpose, expected: 'folder' })
    case 'PathIsNotEmptyDirectoryException':
      return io('the folder is not empty', NOT_EMPTY)
    case 'InvalidPathException':
    case 'IllegalArgumentException':
      return InvalidUri({ uri: purpose.uri, reason: `HDFS does not take it (${message})` })
    case 'DSQuotaExceededException':
    case 'NSQuotaExceededException':
      return io(message, 'Free space there or raise the quota.')
    case 'SafeModeException':
      return io(message, 'Wait until the NameNode has left safe mode.')
    case '':
      if (answer.status === 401 || answer.status === 403) {
        const reason = `${server} wants a login (HTTP ${answer.status}): get a delegation token and set hdfs.delegation.token`
        return AccessDenied({ ...purpose, reason })
      }
      return io(
        `${server} does not answer as WebHDFS does (HTTP ${answer.status})`,
        "Give the NameNode's HTTP address by hdfs.webhdfs.addresses, and see that dfs.webhdfs.enabled is true.",
      )
    default:
      return io(
        `${server} answered ${exception}: ${message}`,
        'Check the logs of the NameNode and the DataNodes.',
      )
  }
}
