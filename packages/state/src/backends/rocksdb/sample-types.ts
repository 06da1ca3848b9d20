import { TypeSampler } from '../../types/type-sampler.ts'
import type { RocksDbContext } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { above, statePrefix, storedOf } from './store-keys.ts'

/** Elements of a list whose types are looked at. */
const SAMPLED_ELEMENTS = 8
/** Entries of a state that are looked at, and of one key group. */
const ENTRIES = 32
const GROUP_ENTRIES = 8
/** Small states are in few key groups, but looking for them must not take long. */
const GROUPS = 256

/**
 * Types of some values of a state, for snapshots that do not go through all.
 * @param round others are looked at in the next one
 */
export function sampleTypes(state: RocksDbState, context: RocksDbContext, round: number): TypeSampler {
  const sampler = new TypeSampler()
  const { start, end } = context.keyGroupRange
  const groups = end - start + 1
  let found = 0
  for (let i = 0; i < Math.min(GROUPS, groups) && found < ENTRIES; i++) {
    const prefix = statePrefix(start + ((round * 7 + i) % groups), state.id)
    const range = { lower: prefix, upper: above(prefix), limit: GROUP_ENTRIES }
    for (const { value } of context.store.scan(range)) {
      const content: unknown = context.serializer.decode(storedOf(value))
      for (const each of valuesIn(state, content)) sampler.add(each)
      found++
    }
  }
  return sampler
}

/** What of a stored entry a descriptor's type is about; of a list some elements. */
export function valuesIn(state: RocksDbState, stored: unknown): readonly unknown[] {
  const hasParts = state.kind === 'list' || state.kind === 'map'
  const inside = hasParts ? (stored as [unknown, unknown])[1] : stored
  const values = state.kind === 'list' ? (inside as unknown[]).slice(0, SAMPLED_ELEMENTS) : [inside]
  return state.ttl === undefined ? values : values.map(value => (value as [number, unknown])[1])
}
