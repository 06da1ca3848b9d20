import type { OperatorStateBackend } from '../../api/keyed-state-backend.ts'
import { ListModeMismatch } from '../../errors.ts'
import { checkOperatorFile, elementAt } from '../../snapshot/operator-format.ts'
import type { OperatorStateHandle, StateLocation } from '../../snapshot/state-handle.ts'
import { HeapOperatorStateBackend, type RestoredList } from './heap-operator-state-backend.ts'

/**
 * Operator lists with the elements of `restored`, in the order of the handles. Throws `state.corrupt-snapshot`,
 * `state.newer-format` and errors of the storage.
 */
export async function createOperatorStateBackend(
  restored: readonly OperatorStateHandle[],
  storage: { read(location: StateLocation): Promise<Buffer> },
): Promise<OperatorStateBackend> {
  const lists = new Map<string, RestoredList>()
  for (const handle of restored) {
    if (handle.states.every(state => state.offsets.length === 0)) continue
    const where = handle.location.type === 'file' ? handle.location.path : 'the metadata of the checkpoint'
    const file = await storage.read(handle.location)
    checkOperatorFile(file, where)
    for (const { name, mode, offsets, type } of handle.states) {
      let list = lists.get(name)
      if (list === undefined) {
        list = { mode, elements: [], ...(type === undefined ? {} : { type }) }
        lists.set(name, list)
      }
      if (list.mode !== mode) throw ListModeMismatch({ name, existing: list.mode, requested: mode })
      for (const offset of offsets) list.elements.push(elementAt(file, offset, where))
    }
  }
  return new HeapOperatorStateBackend({ restored: lists })
}
