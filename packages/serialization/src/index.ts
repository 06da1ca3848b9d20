// Owns: how records and state values become bytes, and how keys are hashed and compared.
// Called by: network (batches), state (values, keys), operators.
// Calls: nothing of ours but the errors of common.
// Thread: any; codecs belong to one channel or one state each.
export { type BatchDecoder, type BatchEncoder, MAX_BATCH_RECORDS, type Push } from './batch/batch-codec.ts'
export { createBatchDecoder } from './batch/batch-decoder.ts'
export { createBatchEncoder, DEFAULT_BATCH_BYTES } from './batch/batch-encoder.ts'
export { floatCells, integerCells } from './batch/cells.ts'
export { generate } from './batch/generate.ts'
export { InvalidKey, MalformedBytes, UnsupportedValue, ValueTooDeep } from './errors.ts'
export { canonicalKey } from './keys/canonical-key.ts'
export { type KeyGroupRange, keyGroupOf, keyGroupRangeOf, subtaskOfKeyGroup } from './keys/key-group.ts'
export { hashKey } from './keys/key-hash.ts'
export { murmurHash, stringHashCode } from './keys/murmur-hash.ts'
export {
  createValueDecoder,
  createValueSerializer,
  type ValueSerializer,
} from './serializers/value-serializer.ts'
export { ValueWriter } from './serializers/value-writer.ts'
