import { defineError } from '@flink-ts/common'

/** Nobody answers at an address, or what answers is not one of our processes. */
export const ConnectionRefused = defineError<{ address: string; endpoint: string; reason: string }>({
  code: 'rpc.connection-refused',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `No connection to ${d.address} (for ${d.endpoint}): ${d.reason}. Check that the process runs and listens there.`,
})

/** The process demands a token that the connecting one does not show. */
export const Unauthenticated = defineError<{ address: string; given: boolean }>({
  code: 'rpc.unauthenticated',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The process at ${d.address} demands a token, and the connecting one shows ${d.given ? 'another one' : 'none'}: ` +
    'set security.auth.token-file there to a file with the same token.',
})

/** The port would be open to everybody on the network. */
export const UnauthenticatedBinding = defineError<{ bindHost: string }>({
  code: 'rpc.unauthenticated-binding',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The port of the JobManager is not opened on ${d.bindHost} (jobmanager.bind-host), where others than this machine ` +
    'reach it, because it demands no token: set security.auth.token-file in the configuration of all processes and ' +
    'clients, or security.rpc.allow-unauthenticated: true if the network is trusted, or bind it to localhost.',
})

/** The process answers, but has no such endpoint (yet, or any more). */
export const EndpointNotFound = defineError<{ address: string; endpoint: string }>({
  code: 'rpc.endpoint-not-found',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The process at ${d.address} serves no endpoint ${d.endpoint}: it may still be starting, or has ended it.`,
})

/** The two ends of a connection are of different versions. */
export const VersionMismatch = defineError<{
  theirs: string
  ours: string
  theirProtocol: number
  ourProtocol: number
  upgrade: string
}>({
  code: 'rpc.version-mismatch',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Versions differ: the connecting process is ${d.theirs} (protocol ${d.theirProtocol}), the answering one ` +
    `${d.ours} (protocol ${d.ourProtocol}). Upgrade ${d.upgrade}: all processes of a cluster and its clients ` +
    'must be of one version.',
})

/** The session is over: closed by one side, its connection broke for too long, or the peer fell silent. */
export const SessionLost = defineError<{
  peer: string
  reason: string
  call?: string
  /** The peer said so: nothing broke. */
  closedByPeer?: true
}>({
  code: 'rpc.session-lost',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `${d.call === undefined ? '' : `Call of ${d.call} has no answer: `}the session with ${d.peer} is lost (${d.reason}).`,
})

/** A session that was to go on is not known any more: it was given up meanwhile. */
export const SessionUnknown = defineError<{ sessionId: string }>({
  code: 'rpc.session-unknown',
  domain: 'external',
  retry: 'no',
  message: d => `Session ${d.sessionId} was given up by the other side meanwhile: open a new one.`,
})

/** The peer has no such method. */
export const UnknownMethod = defineError<{ method: string; endpoint: string }>({
  code: 'rpc.unknown-method',
  domain: 'internal',
  retry: 'no',
  message: d => `${d.endpoint} has no method '${d.method}': caller and callee are of different builds.`,
})

/** One call or answer is larger than a message may be. */
export const PayloadTooLarge = defineError<{ method: string; sizeBytes: number; maxBytes: number }>({
  code: 'rpc.payload-too-large',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Arguments or result of ${d.method} take ${d.sizeBytes} bytes, over the limit of ${d.maxBytes}: pass large ` +
    'content through the blob store, or raise pekko.framesize.',
})

/** A value cannot travel. */
export const NotPlainData = defineError<{ path: string; found: string }>({
  code: 'rpc.not-plain-data',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `${d.path} is ${d.found}, which cannot travel: pass plain objects, arrays, Maps, Sets, Dates, bytes and primitives.`,
})

/** The endpoint name is taken in this process. */
export const EndpointExists = defineError<{ endpoint: string }>({
  code: 'rpc.endpoint-exists',
  domain: 'internal',
  retry: 'no',
  message: d => `This process serves ${d.endpoint} already: withdraw it first.`,
})

/** The service was closed, or not started yet. */
export const ServiceNotRunning = defineError<{ address: string }>({
  code: 'rpc.service-not-running',
  domain: 'internal',
  retry: 'no',
  message: d => `The RPC service ${d.address} is not running: it was closed or not started.`,
})

/** The address to listen on cannot be had. */
export const BindFailed = defineError<{ address: string; reason: string }>({
  code: 'rpc.bind-failed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Cannot listen on ${d.address}: ${d.reason}. Stop what uses the port, or set another one ` +
    '(jobmanager.rpc.port, taskmanager.rpc.port).',
})

/** Settings that contradict each other. */
export const InvalidHeartbeat = defineError<{ intervalMs: number; timeoutMs: number }>({
  code: 'rpc.invalid-heartbeat',
  domain: 'user',
  retry: 'no',
  message: d =>
    `heartbeat.interval is ${d.intervalMs} ms and heartbeat.timeout ${d.timeoutMs} ms: the timeout must be at ` +
    'least three times the interval, and the interval at least 1 ms.',
})

/** A blob is not in the store. */
export const BlobNotFound = defineError<{ key: string; address: string }>({
  code: 'rpc.blob-not-found',
  domain: 'external',
  retry: 'no',
  message: d => `Blob ${d.key} is not in the store of ${d.address}: upload it (again).`,
})

/** Content does not have the digest it should have. */
export const BlobCorrupt = defineError<{ key: string; found: string; sizeBytes: number; where: string }>({
  code: 'rpc.blob-corrupt',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Blob ${d.key}: the ${d.sizeBytes} bytes ${d.where} have the digest ${d.found}. Nothing was kept of them; ` +
    'upload or fetch it again.',
})

/** What was given is not the name of a blob. */
export const InvalidBlobKey = defineError<{ key: string }>({
  code: 'rpc.invalid-blob-key',
  domain: 'user',
  retry: 'no',
  message: d => `'${d.key}' is no blob key: keys are SHA-256 digests of 64 lower-case hex characters.`,
})

/** The process at the address keeps no blobs. */
export const BlobsNotServed = defineError<{ address: string }>({
  code: 'rpc.blobs-not-served',
  domain: 'external',
  retry: 'backoff',
  message: d => `The process at ${d.address} serves no blobs: give the address of a JobManager.`,
})

/** A transfer broke off. */
export const BlobTransferFailed = defineError<{ key: string; address: string; reason: string }>({
  code: 'rpc.blob-transfer-failed',
  domain: 'external',
  retry: 'backoff',
  message: d => `Transfer of blob ${d.key} with ${d.address} failed: ${d.reason}. Nothing was kept of it.`,
})
