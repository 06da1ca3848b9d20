import type { StateBackend } from '../../api/state-backend.ts'
import { CorruptSnapshot, MaxParallelismChanged } from '../../errors.ts'
import { LinkedHandles } from '../../snapshot/linked-handles.ts'
import { readKeyGroups } from '../../snapshot/read-key-groups.ts'
import { PlainKeyedStateBackend } from './plain-keyed-state-backend.ts'

/** `state.backend.type: plain`: see {@link PlainKeyedStateBackend}. */
export const plainStateBackend: StateBackend = {
  name: 'plain',
  async createKeyedBackend(options, restored, storage) {
    const backend = new PlainKeyedStateBackend(options)
    const linked = new LinkedHandles(restored, { storage })
    try {
      for (const handle of linked.handles) {
        for await (const { header, keyGroup, entries } of readKeyGroups(
          handle,
          options.keyGroupRange,
          storage,
        )) {
          const { maxParallelism: stored } = header
          if (stored !== options.maxParallelism) {
            throw MaxParallelismChanged({ what: 'this operator', stored, requested: options.maxParallelism })
          }
          for (const entry of entries()) {
            const state = header.states[entry.stateIndex]
            if (state === undefined) {
              const reason = `it has no state number ${entry.stateIndex}`
              throw CorruptSnapshot({ where: `key group ${keyGroup}`, reason })
            }
            if (handle.delta === 'removals') backend.restoreRemoval(state, entry, keyGroup)
            else if (state.kind !== 'timers' || handle.timersLater !== true) backend.restore(state, entry)
          }
        }
      }
    } finally {
      linked.close()
    }
    backend.completeRestore()
    return backend
  },
}
