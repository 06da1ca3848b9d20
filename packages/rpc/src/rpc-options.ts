import {
  authTokenOf,
  booleanType,
  type Configuration,
  durationType,
  memorySizeType,
  option,
} from '@flink-ts/common'
import { InvalidHeartbeat } from './errors.ts'

export const heartbeatInterval = option('heartbeat.interval', durationType, {
  defaultValue: 500,
  description:
    'Time between the probes that each side of a connection sends when it has nothing else to say.',
})

export const heartbeatTimeout = option('heartbeat.timeout', durationType, {
  defaultValue: 5000,
  description:
    'A peer that was silent for so long counts as lost. Must be at least three times heartbeat.interval. ' +
    'A peer whose process died is noticed sooner, by its broken connection: see rpc.session-resume-timeout.',
})

export const sessionResumeTimeout = option('rpc.session-resume-timeout', durationType, {
  defaultValue: 500,
  description:
    'How long a session outlives a broken connection. Calls made meanwhile are sent when the connection is back; ' +
    'if it does not come back in time, the peer counts as lost.',
})

export const frameSize = option('pekko.framesize', memorySizeType, {
  defaultValue: 32 * 2 ** 20,
  description: 'Largest message between two processes. Larger content goes through the blob store.',
  deprecatedKeys: ['akka.framesize'],
})

export const connectTimeout = option('pekko.tcp.timeout', durationType, {
  defaultValue: 5000,
  description: 'How long opening a connection may take, until the other side has answered the greeting.',
  deprecatedKeys: ['akka.tcp.timeout'],
})

export const allowUnauthenticatedRpc = option('security.rpc.allow-unauthenticated', booleanType, {
  defaultValue: false,
  description:
    'Opens the port of the JobManager beyond this machine although it demands no token (security.auth.token-file): ' +
    'whoever reaches the port can run code in the cluster.',
})

/** What sessions are governed by; the same in all processes of a cluster. */
export interface SessionSettings {
  readonly heartbeatIntervalMs: number
  readonly heartbeatTimeoutMs: number
  readonly sessionResumeTimeoutMs: number
  readonly connectTimeoutMs: number
  /** Of one message. */
  readonly maxMessageBytes: number
  /** Of all messages of one session that wait to be acknowledged; over it the peer counts as lost. */
  readonly maxUnacknowledgedBytes: number
  /** What connections show, and what a service demands; undefined: nothing. */
  readonly authToken: string | undefined
  /** Whether a service may listen beyond this machine without demanding a token. */
  readonly allowUnauthenticated: boolean
}

/** The settings of a configuration. Throws `rpc.invalid-heartbeat`, `common.auth-token-unusable`. */
export function sessionSettingsOf(configuration: Configuration): SessionSettings {
  const maxMessageBytes = configuration.get(frameSize)
  return checkedSettings({
    heartbeatIntervalMs: configuration.get(heartbeatInterval),
    heartbeatTimeoutMs: configuration.get(heartbeatTimeout),
    sessionResumeTimeoutMs: configuration.get(sessionResumeTimeout),
    connectTimeoutMs: configuration.get(connectTimeout),
    maxMessageBytes,
    maxUnacknowledgedBytes: 4 * maxMessageBytes,
    authToken: authTokenOf(configuration),
    allowUnauthenticated: configuration.get(allowUnauthenticatedRpc),
  })
}

/** `settings` with defaults for what is absent. Throws `rpc.invalid-heartbeat`. */
export function checkedSettings(settings: Partial<SessionSettings>): SessionSettings {
  const maxMessageBytes = settings.maxMessageBytes ?? frameSize.defaultValue
  const all = {
    heartbeatIntervalMs: settings.heartbeatIntervalMs ?? heartbeatInterval.defaultValue,
    heartbeatTimeoutMs: settings.heartbeatTimeoutMs ?? heartbeatTimeout.defaultValue,
    sessionResumeTimeoutMs: settings.sessionResumeTimeoutMs ?? sessionResumeTimeout.defaultValue,
    connectTimeoutMs: settings.connectTimeoutMs ?? connectTimeout.defaultValue,
    maxMessageBytes,
    maxUnacknowledgedBytes: settings.maxUnacknowledgedBytes ?? 4 * maxMessageBytes,
    authToken: settings.authToken,
    allowUnauthenticated: settings.allowUnauthenticated ?? allowUnauthenticatedRpc.defaultValue,
  }
  if (all.heartbeatIntervalMs < 1 || all.heartbeatTimeoutMs < 3 * all.heartbeatIntervalMs) {
    throw InvalidHeartbeat({ intervalMs: all.heartbeatIntervalMs, timeoutMs: all.heartbeatTimeoutMs })
  }
  return all
}
