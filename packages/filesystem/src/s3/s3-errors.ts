import { isFlinkError } from '@flink-ts/common'
import {
  AccessDenied,
  FileAlreadyExists,
  FileIoFailed,
  FileNotFound,
  StorageMisconfigured,
} from '../errors.ts'

/** What an error of the S3 client says, whatever its class: they differ between stores. */
export interface S3Failure {
  /** `NoSuchKey`, `AccessDenied`, `ECONNREFUSED` ... */
  readonly code: string
  /** Of HTTP; undefined: there was no answer. */
  readonly status: number | undefined
  /** How often it was tried. */
  readonly attempts: number
  readonly message: string
}

/** Undefined: no error of the client. */
export function s3FailureOf(error: unknown): S3Failure | undefined {
  if (!(error instanceof Error) || isFlinkError(error)) return undefined
  const { $metadata, Code, code } = error as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
    readonly Code?: unknown
    readonly code?: unknown
  }
  const named = [Code, code, error.name].find(name => typeof name === 'string' && name !== 'Error')
  return {
    code: (named as string | undefined) ?? 'Error',
    status: $metadata?.httpStatusCode,
    attempts: $metadata?.attempts ?? 1,
    message: error.message,
  }
}

const BAD_CREDENTIALS: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'TokenRefreshRequired',
  'CredentialsProviderError',
])

const UNREACHABLE: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'TimeoutError',
  'ETIMEDOUT',
  'ECONNRESET',
])

/** Turns an error of the S3 client into one of ours; those of ours pass unchanged. */
export function toS3Error(
  error: unknown,
  { operation, uri, bucket, endpoint }: { operation: string; uri: string; bucket: string; endpoint: string },
): unknown {
  const failure = s3FailureOf(error)
  if (failure === undefined) return error
  const { code, status, attempts, message } = failure
  const where = endpoint === '' ? 'Amazon S3' : endpoint
  const misconfigured = (reason: string, remedy: string): Error =>
    StorageMisconfigured({ uri, operation, reason, remedy }, error)
  // First: some stores answer 404 to keys that they do not know.
  if (BAD_CREDENTIALS.has(code) || (status === 404 && /access key/i.test(message))) {
    return misconfigured(
      code === 'CredentialsProviderError'
        ? `there are no credentials for ${where}`
        : `${where} refused the credentials (${code}: ${message})`,
      'Set s3.access-key and s3.secret-key, or give the process credentials by its environment (AWS_ACCESS_KEY_ID, ' +
        'AWS_PROFILE, a role). What has expired must be renewed; credentials with an s3.session.token expire.',
    )
  }
  if (code === 'NoSuchBucket' || code === 'InvalidBucketName') {
    return misconfigured(
      `there is no bucket '${bucket}' at ${where}`,
      'Create it, or correct the path, s3.endpoint or s3.endpoint.region.',
    )
  }
  if (code === 'NoSuchKey' || code === 'NotFound') {
    return FileNotFound({ uri, operation }, error)
  }
  if (code === 'PreconditionFailed' || status === 412) return FileAlreadyExists({ uri, operation }, error)
  if (code === 'AuthorizationHeaderMalformed' || code === 'PermanentRedirect' || status === 301) {
    return misconfigured(
      `the bucket '${bucket}' is in another region or at another address (${message})`,
      'Set s3.endpoint.region to its region, and s3.endpoint only for stores other than Amazon.',
    )
  }
  if (/region is missing/i.test(message)) {
    return misconfigured('it is not known in which region the bucket is', 'Set s3.endpoint.region.')
  }
  if (code === 'ERR_INVALID_URL' || /invalid url|invalid endpoint/i.test(message)) {
    return misconfigured(
      `'${endpoint}' is no URL`,
      'Set s3.endpoint to one such as https://minio.example.org:9000.',
    )
  }
  // First: some stores answer 403 when they are full.
  if (code === 'QuotaExceeded' || status === 507) {
    const reason = `${where} answered ${code} (HTTP ${status}: ${message})`
    return FileIoFailed({ uri, operation, reason, hint: 'Free space there or raise the quota.' }, error)
  }
  if (status === 403 || code === 'AccessDenied') {
    return AccessDenied({ uri, operation, reason: `${where} answered ${code} (${message})` }, error)
  }
  const tried = attempts > 1 ? `, tried ${attempts} times` : ''
  if (status === undefined || UNREACHABLE.has(code)) {
    const hint =
      'Check s3.endpoint, s3.path.style.access and the network; s3.connection.timeout bounds the wait.'
    return FileIoFailed({ uri, operation, reason: `no answer of ${where} (${message}${tried})`, hint }, error)
  }
  const hint = 'Check the store; s3.attempts.maximum says how often requests are tried.'
  return FileIoFailed(
    { uri, operation, reason: `${where} answered ${code} (HTTP ${status}: ${message}${tried})`, hint },
    error,
  )
}
