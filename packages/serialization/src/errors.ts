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

/** A record or state value holds something that has no bytes. */
export const UnsupportedValue = defineError<{ kind: string; path: string }>({
  code: 'serialization.unsupported-value',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.path} is ${d.kind} and cannot be stored or sent: keep to plain data (primitives, arrays, objects, Dates, Maps, ` +
    'Sets, typed arrays, Errors, RegExps) in records and state.',
})

/** A value contains itself or is nested beyond the limit. */
export const ValueTooDeep = defineError<{ path: string; limit: number }>({
  code: 'serialization.value-too-deep',
  domain: 'user',
  retry: 'no',
  message: d =>
    `A value is nested more than ${d.limit} levels deep, or contains itself, at ${d.path}: records and state must be trees.`,
})

/** Bytes are not what a serializer wrote. */
export const MalformedBytes = defineError<{ what: string; offset: number }>({
  code: 'serialization.malformed-bytes',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `Cannot decode at byte ${d.offset}: ${d.what}. The bytes are damaged or of another version; restore from another checkpoint.`,
})
