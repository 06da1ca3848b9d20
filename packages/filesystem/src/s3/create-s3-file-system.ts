import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { S3Client } from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { FileSystem } from '../api/file-system.ts'
import { InvalidUri } from '../errors.ts'
import type { S3Settings } from '../filesystem-options.ts'
import { S3FileSystem } from './s3-file-system.ts'
import { S3Store } from './s3-store.ts'

/** What stores other than Amazon are told when nobody says otherwise. */
const ANY_REGION = 'us-east-1'
/** That one request lists or deletes. */
const MOST_KEYS = 1000

/** The file system of a store, with a client of its own. No request without a bound in time and number. */
export function createS3FileSystem(options: {
  readonly scheme: string
  readonly settings: S3Settings
  /** Fewer in tests. */
  readonly keysPerRequest?: number
}): FileSystem {
  const { scheme, settings, keysPerRequest = MOST_KEYS } = options
  const { endpoint, region, credentials, attempts, timeoutMs, checksums } = settings
  if (endpoint !== '' && !/^https?:\/\/./i.test(endpoint)) {
    throw InvalidUri({ uri: endpoint, reason: 's3.endpoint is to be a URL such as http://minio:9000' })
  }
  const agentOptions = { keepAlive: true, maxSockets: settings.connections }
  const client = new S3Client({
    ...(endpoint !== '' && { endpoint }),
    ...((region !== '' || endpoint !== '') && { region: region || ANY_REGION }),
    ...(credentials !== undefined && { credentials }),
    forcePathStyle: settings.pathStyle,
    maxAttempts: attempts,
    retryMode: 'standard',
    // The names of the SDK's own values.
    requestChecksumCalculation: checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    responseChecksumValidation: checksums === 'when-required' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    // By default none of these ends a request, and the first alone only warns.
    requestHandler: new NodeHttpHandler({
      connectionTimeout: settings.connectTimeoutMs,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      socketTimeout: timeoutMs,
      httpAgent: new HttpAgent(agentOptions),
      httpsAgent: new HttpsAgent(agentOptions),
    }),
  })
  const store = new S3Store({ endpoint, attempts }, { client })
  const { partSizeBytes, concurrentUploads } = settings
  return new S3FileSystem({ scheme, partSizeBytes, concurrentUploads, keysPerRequest }, { store })
}
