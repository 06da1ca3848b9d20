import { durationType, integerFrom, option } from '@flink-ts/common'

/** Configuration keys of the Dispatcher. */
export const DispatcherOptionKeys = {
  maxCapacity: option('jobstore.max-capacity', integerFrom(0), {
    defaultValue: 100,
    description: 'How many finished jobs are remembered; the oldest are forgotten first.',
  }),
  expirationTime: option('jobstore.expiration-time', integerFrom(0), {
    defaultValue: 3600,
    description: 'Seconds after which a finished job is forgotten.',
  }),
  asyncStoreDuration: option('rest.async.store-duration', durationType, {
    defaultValue: 300_000,
    description:
      'How long the outcome of a savepoint is remembered for those who ask for it by its trigger id.',
  }),
}
