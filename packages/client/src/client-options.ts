import { type Configuration, durationType, option } from '@flink-ts/common'
import { type SessionSettings, sessionSettingsOf } from '@flink-ts/rpc'

export const clientTimeout = option('client.timeout', durationType, {
  defaultValue: 60_000,
  description: 'How long a client that lost its JobManager goes on trying to reach it again.',
  deprecatedKeys: ['akka.client.timeout'],
})

export const clientRetryPeriod = option('client.retry-period', durationType, {
  defaultValue: 2000,
  description: 'Longest pause between two tries of a client to reach its JobManager again.',
})

/** What a configuration says of clients. Throws `rpc.invalid-heartbeat`, `common.auth-token-unusable`. */
export function clientSettingsOf(configuration: Configuration): {
  readonly sessionSettings: SessionSettings
  readonly reconnectTimeoutMs: number
  readonly retryPeriodMs: number
} {
  return {
    sessionSettings: sessionSettingsOf(configuration),
    reconnectTimeoutMs: configuration.get(clientTimeout),
    retryPeriodMs: configuration.get(clientRetryPeriod),
  }
}
