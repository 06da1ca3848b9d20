import { CorruptSnapshot } from '../errors.ts'
import type { ReadableHandle, StateReader } from './read-key-groups.ts'
import type { KeyedStateHandle } from './state-handle.ts'

interface OpenedStore {
  readonly chunks: NonNullable<ReadableHandle['store']>['chunks']
  close(): void
}

/**
 * Handles of a subtask, or of several, as readers want them: files of stores belong to the handle that stands for the
 * store, which is put together in a temporary folder when somebody reads it. Owner: one reader, which closes it.
 */
export class LinkedHandles {
  readonly handles: readonly ReadableHandle[]
  readonly #storage: StateReader
  readonly #folder: string | undefined
  readonly #closers: (() => void)[] = []
  #closed = false

  /**
   * @param dependencies `folder`: below which stores are put together; absent: the system's temporary one
   * @throws state.corrupt-snapshot
   */
  constructor(
    handles: readonly KeyedStateHandle[],
    dependencies: { readonly storage: StateReader; readonly folder?: string | undefined },
  ) {
    this.#storage = dependencies.storage
    this.#folder = dependencies.folder
    this.handles = groupsOf(handles).map(({ handle, files }) =>
      handle.storeFiles === undefined ? handle : { ...handle, store: this.#store(files) },
    )
  }

  /** Removes what was put together. */
  close(): void {
    this.#closed = true
    for (const close of this.#closers.splice(0)) close()
  }

  #store(files: readonly KeyedStateHandle[]): NonNullable<ReadableHandle['store']> {
    let opened: Promise<OpenedStore> | undefined
    const open = async (): Promise<OpenedStore> => {
      // Only who reads such a snapshot needs RocksDB.
      const { openStoredStore } = await import('../backends/rocksdb/stored-store.ts')
      const store = await openStoredStore(files, this.#storage, this.#folder)
      if (this.#closed) store.close()
      else this.#closers.push(() => store.close())
      return store
    }
    return {
      async *chunks(header, range) {
        opened ??= open()
        yield* (await opened).chunks(header, range)
      },
    }
  }
}

/** Each handle with the files before it that it stands for. Throws `state.corrupt-snapshot` if some are missing. */
export function groupsOf(
  handles: readonly KeyedStateHandle[],
): readonly { readonly handle: KeyedStateHandle; readonly files: readonly KeyedStateHandle[] }[] {
  const groups: { handle: KeyedStateHandle; files: readonly KeyedStateHandle[] }[] = []
  let files: KeyedStateHandle[] = []
  const check = (expected: number): void => {
    if (files.length === expected) return
    const reason = `it has ${files.length} files of a store where ${expected} are expected`
    throw CorruptSnapshot({ where: 'the metadata of the checkpoint', reason })
  }
  for (const handle of handles) {
    if (handle.storeFile !== undefined) {
      files.push(handle)
      continue
    }
    check(handle.storeFiles ?? 0)
    groups.push({ handle, files })
    files = []
  }
  check(0)
  return groups
}
