import type { StateBackend } from '../../api/state-backend.ts'
import { createHashMapKeyedStateBackend } from './create-hash-map-keyed-state-backend.ts'

/** `state.backend.type: hashmap`: state on the heap of the slot thread. */
export const hashMapStateBackend: StateBackend = {
  name: 'hashmap',
  createKeyedBackend: createHashMapKeyedStateBackend,
}
