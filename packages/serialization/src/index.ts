// Owns: how records and state values become bytes, and how keys are hashed and compared.
// Called by: network (batches), state (values, keys), operators.
// Calls: msgpackr for what fits no schema.
// Thread: any; codecs belong to one channel or one state each.
export type { BatchDecoder, BatchEncoder, Push } from './batch/batch-codec.ts'
export { InvalidKey } from './errors.ts'
export { canonicalKey } from './keys/canonical-key.ts'
export { keyGroupOf, type KeyGroupRange, keyGroupRangeOf, subtaskOfKeyGroup } from './keys/key-group.ts'
export { hashKey } from './keys/key-hash.ts'
export { murmurHash, stringHashCode } from './keys/murmur-hash.ts'
