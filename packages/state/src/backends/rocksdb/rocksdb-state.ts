import { canonicalKey } from '@flink-ts/serialization'
import type { Key, NamespacedState } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { StateType } from '../../api/state-type.ts'
import { detachKey } from '../detach.ts'
import type { TtlMode } from '../hashmap/ttl/convert-times.ts'
import type { TtlClock } from '../hashmap/ttl/ttl-clock.ts'
import { PartGroup } from './part-group.ts'
import type { RocksDbContext, WalkedEntry } from './rocksdb-context.ts'
import { RocksDbTable } from './rocksdb-table.ts'
import {
  above,
  type Canonical,
  decodeNamespace,
  type Namespace,
  NamespaceBytes,
  parseKey,
  statePrefix,
} from './store-keys.ts'
import type { StoredTables } from './stored-store.ts'

/**
 * One state: its namespaces with their sizes are in memory, its entries in the store. Of maps and lists there are no
 * tables, only the groups of those keys of which something is in memory. Owner: the backend.
 */
export class RocksDbState implements NamespacedState<unknown> {
  readonly name: string
  readonly kind: StateDescriptor<unknown>['kind']
  /** In keys of the store, and the index in snapshots. */
  readonly id: number
  /** Whether values have times, and by which clock. */
  ttl: TtlMode
  /** Set when the state has been asked for by a descriptor with a time to live. */
  clock: TtlClock | undefined
  restored = false
  /** What the snapshots say about the values; nothing if they do not say. */
  storedType: StateType = []
  /** Of values of this attempt, as far as snapshots looked at them. */
  seenType: StateType = []
  readonly #context: RocksDbContext
  readonly #namespaceBytes = new NamespaceBytes()
  readonly #tables = new Map<Namespace, RocksDbTable>()
  /** Without entries, but with cells that say so, or removals that are not written yet. */
  readonly #leaving = new Map<Namespace, RocksDbTable>()
  /** By bytes of the namespace, then by key. */
  readonly #groups = new Map<string, Map<Canonical, PartGroup>>()

  constructor(
    options: { name: string; kind: StateDescriptor<unknown>['kind']; id: number; ttl: TtlMode },
    dependencies: { context: RocksDbContext },
  ) {
    this.name = options.name
    this.kind = options.kind
    this.id = options.id
    this.ttl = options.ttl
    this.#context = dependencies.context
  }

  table(namespace: Namespace): RocksDbTable {
    const table = this.peek(namespace)
    this.filled(table)
    return table
  }

  /** The same, but the namespace is there only from its first entry on. */
  peek(namespace: Namespace): RocksDbTable {
    const existing = this.#tables.get(namespace) ?? this.#leaving.get(namespace)
    if (existing !== undefined) return existing
    const namespaceBytes = this.#namespaceBytes.of(namespace)
    const table = new RocksDbTable({ namespace, namespaceBytes }, { state: this, context: this.#context })
    this.#leaving.set(namespace, table)
    return table
  }

  existing(namespace: Namespace): RocksDbTable | undefined {
    return this.#tables.get(namespace)
  }

  namespaces(): Iterable<Namespace> {
    return this.#tables.keys()
  }

  drop(namespace: Namespace): void {
    const table = this.#tables.get(namespace)
    if (table === undefined) return
    this.#tables.delete(namespace)
    table.drop()
  }

  /** A table has its first entry, or is asked for by somebody who holds on to it. */
  filled(table: RocksDbTable): void {
    this.#leaving.delete(table.namespace)
    this.#tables.set(table.namespace, table)
  }

  /** A table has lost its last entry. The one without a namespace is held on to. */
  unfilled(table: RocksDbTable): void {
    if (table.namespace === undefined || this.#tables.get(table.namespace) !== table) return
    this.#tables.delete(table.namespace)
    this.#leaving.set(table.namespace, table)
  }

  /** Nothing of a table is in memory. */
  forgotten(table: RocksDbTable): void {
    if (this.#leaving.get(table.namespace) === table) this.#leaving.delete(table.namespace)
  }

  /** The map or list of a key. */
  parts(namespace: Namespace, key: Key): PartGroup {
    const namespaceBytes = this.#namespaceBytes.of(namespace)
    const canonical = canonicalKey(key)
    const known = this.#groups.get(nameOf(namespaceBytes))?.get(canonical)
    if (known !== undefined) return known
    const own = detachKey(key)
    return new PartGroup(
      { key: own, canonical: canonicalKey(own), namespaceBytes },
      { state: this, context: this.#context },
    )
  }

  rememberParts(group: PartGroup): void {
    const name = nameOf(group.namespaceBytes)
    const groups = this.#groups.get(name) ?? new Map<Canonical, PartGroup>()
    this.#groups.set(name, groups.set(group.canonical, group))
  }

  /** @see PartGroup.current */
  currentParts(group: PartGroup): PartGroup {
    return this.#groups.get(nameOf(group.namespaceBytes))?.get(group.canonical) ?? group
  }

  forgottenParts(group: PartGroup): void {
    const name = nameOf(group.namespaceBytes)
    const groups = this.#groups.get(name)
    if (groups?.get(group.canonical) !== group) return
    groups.delete(group.canonical)
    if (groups.size === 0) this.#groups.delete(name)
  }

  /** The keys that have something without a namespace; entries may be removed and added meanwhile. */
  *keys(): Iterable<Key> {
    const { cache, keyGroupRange, serializer, keys, store } = this.#context
    if (this.kind !== 'map' && this.kind !== 'list') {
      for (const { key } of this.existing(undefined)?.entries() ?? []) yield key
      return
    }
    const namespaceBytes = this.#namespaceBytes.of(undefined)
    cache.flushAll()
    for (let keyGroup = keyGroupRange.start; keyGroup <= keyGroupRange.end; keyGroup++) {
      let lower = statePrefix(keyGroup, this.id, namespaceBytes)
      const upper = above(lower)
      for (;;) {
        const [first] = store.scan({ lower, upper, limit: 1 })
        if (first === undefined) break
        const parsed = parseKey(first.key)
        lower = above(parsed.prefix)
        const canonical = serializer.decode(parsed.canonicalBytes) as Canonical
        const key = serializer.decode(keys.encodedKey(parsed, first.value))
        // All of it may have been removed since.
        if (this.#groups.get('')?.get(canonical)?.isEmpty() !== true) yield key
      }
    }
  }

  /** Sizes of the tables, for a snapshot that has the store as it is. */
  sizes(): StoredTables {
    return [...this.#tables.values()].flatMap(({ size, namespaceBytes }) =>
      size === 0 ? [] : [[this.id, Buffer.from(namespaceBytes).toString('hex'), size] as const],
    )
  }

  /** All entries of the store in all namespaces, as {@link RocksDbContext.walk}. */
  *walk(): Generator<WalkedEntry> {
    const { keyGroupRange } = this.#context
    for (let keyGroup = keyGroupRange.start; keyGroup <= keyGroupRange.end; keyGroup++) {
      const prefix = statePrefix(keyGroup, this.id)
      yield* this.#context.walk(prefix, above(prefix))
    }
  }

  /** Namespace and key of an entry of {@link RocksDbState.walk}. */
  placeOf({ key, value }: WalkedEntry): { readonly namespace: Namespace; readonly key: Key } {
    const parsed = parseKey(key)
    const { serializer, keys } = this.#context
    return {
      namespace: decodeNamespace(parsed.namespaceBytes),
      key: serializer.decode(keys.encodedKey(parsed, value)),
    }
  }
}

function nameOf(namespaceBytes: Uint8Array): string {
  return namespaceBytes.length === 1 ? '' : Buffer.from(namespaceBytes).toString('latin1')
}
