import { defineError } from '@flink-ts/common'

/** A key selector gave something that cannot be a key. */
export const InvalidKey = defineError<{ key: string; reason: string }>({
  code: 'serialization.invalid-key',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.key} cannot be a key: ${d.reason}. Keys are strings, numbers, booleans, bigints, valid Dates, and arrays or ` +
    'plain objects whose elements are these (no null, no undefined, nothing nested): change the key selector.',
})
