import { createValueSerializer, type ValueSerializer } from '@flink-ts/serialization'
import type { OperatorListState, OperatorStateBackend } from '../../api/keyed-state-backend.ts'
import type { MapStateDescriptor } from '../../api/state-descriptor.ts'
import type { StateType } from '../../api/state-type.ts'
import type { BroadcastState } from '../../api/user-states.ts'
import { ListModeMismatch } from '../../errors.ts'
import { type EncodedList, encodeOperatorLists } from '../../snapshot/operator-format.ts'
import type { OperatorStateHandle, OperatorStateMode } from '../../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../../storage/checkpoint-storage.ts'
import { typeOf } from '../../types/infer-type.ts'
import { mergeTypes } from '../../types/merge-types.ts'
import { HeapBroadcastState } from './heap-broadcast-state.ts'
import { HeapListState } from './heap-list-state.ts'

/** Elements of a list whose types are looked at. */
const SAMPLED_ELEMENTS = 64

/** A list or map of the snapshot that nobody has asked for yet: kept encoded, and written again. */
export interface RestoredList {
  readonly mode: OperatorStateMode
  readonly elements: Uint8Array[]
  readonly type?: StateType | undefined
}

type TypedList = EncodedList & { readonly type?: StateType | undefined }

/** The type of elements, by the first ones. */
function typeOfAll(values: readonly unknown[]): StateType | undefined {
  let type: StateType = []
  for (const value of values.slice(0, SAMPLED_ELEMENTS)) type = mergeTypes(type, typeOf(value))
  return values.length === 0 ? undefined : type
}

/** Operator lists and broadcast maps on the heap. All elements are encoded at the snapshot. Owner: the operator instance, slot thread. */
export class HeapOperatorStateBackend implements OperatorStateBackend {
  readonly #restored: Map<string, RestoredList>
  readonly #lists = new Map<string, HeapListState<unknown> | HeapBroadcastState<unknown, unknown>>()
  readonly #serializer: ValueSerializer = createValueSerializer()

  constructor(options: { restored: Map<string, RestoredList> }) {
    this.#restored = options.restored
  }

  /** The list of a name; the same object each time. Throws `state.list-mode-mismatch`. */
  listState<T>(name: string, mode: 'split' | 'union' = 'split'): OperatorListState<T> {
    const existing = this.#existing(name, mode)
    if (existing instanceof HeapListState) return existing as OperatorListState<T>
    const list = new HeapListState<unknown>({ mode, values: this.#claim(name) })
    this.#lists.set(name, list)
    return list as OperatorListState<T>
  }

  /** The map of a name; the same object each time. Throws `state.list-mode-mismatch`. */
  broadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    const { name } = descriptor
    const existing = this.#existing(name, 'broadcast')
    if (existing instanceof HeapBroadcastState) return existing as BroadcastState<K, V>
    const map = new HeapBroadcastState<K, V>({ entries: this.#claim(name) as [K, V][] })
    this.#lists.set(name, map as unknown as HeapBroadcastState<unknown, unknown>)
    return map
  }

  #existing(name: string, mode: OperatorStateMode): unknown {
    const existing = this.#lists.get(name) ?? this.#restored.get(name)
    if (existing !== undefined && existing.mode !== mode) {
      throw ListModeMismatch({ name, existing: existing.mode, requested: mode })
    }
    return existing
  }

  /** Takes what the snapshot had of a name. */
  #claim(name: string): unknown[] {
    const restored = this.#restored.get(name)?.elements ?? []
    const values = restored.map(bytes => this.#serializer.decode(bytes))
    this.#restored.delete(name)
    return values
  }

  async snapshot(
    _checkpointId: number,
    streams: CheckpointStreamFactory,
  ): Promise<readonly OperatorStateHandle[]> {
    const claimed = [...this.#lists].map(([name, list]): TypedList => {
      const values = list.elements()
      const elements = values.map(value => this.#serializer.encode(value))
      return { name, mode: list.mode, elements, type: typeOfAll(values) }
    })
    const carried = [...this.#restored].map(([name, list]): TypedList => ({ name, ...list }))
    const lists = [...claimed, ...carried].filter(list => list.elements.length > 0)
    if (lists.length === 0) return []
    // Claimed while the file is written, it is still what all subtasks have.
    const unused = new Set(this.#restored.keys())
    const { parts, offsets } = encodeOperatorLists(lists)
    const output = await streams.open('operator')
    try {
      for (const part of parts) await output.write(part)
      const location = await output.close()
      const states = lists.map(({ name, mode, type }, i) => ({
        name,
        mode,
        offsets: offsets[i] as number[],
        ...(type === undefined ? {} : { type }),
        // Each subtask holds all of a union list that nobody reads: one of them is enough at the next restore.
        ...(mode === 'union' && unused.has(name) ? { carried: true } : {}),
      }))
      return [{ states, location }]
    } catch (error) {
      try {
        await output.discard()
      } catch {
        // The first error says why the snapshot failed; the file goes with the checkpoint's folder.
      }
      throw error
    }
  }
}
