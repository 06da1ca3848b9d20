import { durationType, option } from '@flink-ts/common'

export const clientTimeout = option('client.timeout', durationType, {
  defaultValue: 60_000,
  description: 'How long a client that lost its JobManager goes on trying to reach it again.',
  deprecatedKeys: ['akka.client.timeout'],
})

export const clientRetryPeriod = option('client.retry-period', durationType, {
  defaultValue: 2000,
  description: 'Longest pause between two tries of a client to reach its JobManager again.',
})
