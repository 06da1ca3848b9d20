import { defineError } from '@flink-ts/common'

/** The key of a record cannot be hashed. */
export const InvalidRecordKey = defineError<{
  operator: string
  record: string
  reason: string
  place?: string
}>({
  code: 'network.invalid-record-key',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The key selector behind operator '${d.operator}'${d.place === undefined ? '' : ` (at ${d.place})`} gave no valid key ` +
    `for the record ${d.record}. ${d.reason}`,
})

/** A custom partitioner answered something that is no channel. */
export const InvalidPartition = defineError<{
  operator: string
  answer: string
  channels: number
  record: string
}>({
  code: 'network.invalid-partition',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The partitioner behind operator '${d.operator}' answered ${d.answer} for the record ${d.record}: it must return ` +
    `a whole number from 0 to ${d.channels - 1}.`,
})

/** An edge has another number of channels than its partitioner allows. */
export const WrongChannelCount = defineError<{ partitioner: string; channels: number; expected: string }>({
  code: 'network.wrong-channel-count',
  domain: 'internal',
  retry: 'no',
  message: d => `A ${d.partitioner} edge has ${d.channels} channels, expected ${d.expected}.`,
})

/** The TCP connection to another TaskManager is gone or could not be made. */
export const ConnectionLost = defineError<{ remoteAddress: string; reason: string }>({
  code: 'network.connection-lost',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The data connection to ${d.remoteAddress} is lost: ${d.reason}. Its TaskManager may have ended, or the network between the hosts may be interrupted.`,
})

/** The producing TaskManager never registered a channel. */
export const UnknownChannel = defineError<{ channelId: string; waitedMs: number }>({
  code: 'network.unknown-channel',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The producing TaskManager did not register channel ${d.channelId} within ${d.waitedMs} ms: its task was not deployed, or has ended.`,
})

/** The other side does not speak our protocol. */
export const ProtocolViolation = defineError<{ what: string }>({
  code: 'network.protocol-violation',
  domain: 'internal',
  retry: 'backoff',
  message: d => `The peer broke the data protocol: ${d.what}. All TaskManagers must be of the same version.`,
})

/** Another process asks for data without the cluster's token. */
export const PeerRefused = defineError<{ reason: string }>({
  code: 'network.peer-refused',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `The data port lets nobody in who ${d.reason}: all TaskManagers of a cluster need the same token in the file of security.auth.token-file.`,
})

/** The data port cannot be opened. */
export const BindFailed = defineError<{ host: string; port: number; reason: string }>({
  code: 'network.bind-failed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Cannot listen for data connections on ${d.host}:${d.port}: ${d.reason}. Set taskmanager.data.port to a free port (0: any) and taskmanager.bind-host to an address of this host.`,
})

/** The network thread of this process ended. */
export const NetworkThreadLost = defineError<{ reason: string }>({
  code: 'network.thread-lost',
  domain: 'internal',
  retry: 'backoff',
  message: d => `The network thread has ended: ${d.reason}. The TaskManager must be restarted.`,
})
