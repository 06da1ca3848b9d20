import type { CheckpointMetadata, OperatorState } from '../snapshot/state-handle.ts'
import { type DescribedState, describeSnapshot } from './describe-snapshot.ts'
import { type InspectedStorage, readKeyedEntries, readOperatorElements } from './read-entries.ts'
import { toJson } from './to-json.ts'

/** How one state differs between two snapshots. */
export interface StateDifference {
  readonly operatorId: string
  readonly operatorName: string
  readonly state: string
  /** In words, as `flink state ls` shows them; undefined: the snapshot has no such state. */
  readonly before: string | undefined
  readonly after: string | undefined
  /** Values (of maps: entries; of operator state: elements) that only the second, only the first, or both have. */
  readonly added: number
  readonly removed: number
  readonly changed: number
  readonly equal: number
}

interface Side {
  readonly metadata: CheckpointMetadata
  readonly storage: InspectedStorage
}

type Counts = Pick<StateDifference, 'added' | 'removed' | 'changed' | 'equal'>
/** Of some part of the state: by state, then by key, the value as text. */
type Values = Map<string, Map<string, string>>

/**
 * Compares all states of two snapshots value by value, operators by their ids, one key group at a time. Times that times
 * to live count from are not compared.
 */
export async function diffSnapshots(before: Side, after: Side): Promise<readonly StateDifference[]> {
  const described = [
    await describeSnapshot(before.metadata, before.storage),
    await describeSnapshot(after.metadata, after.storage),
  ] as const
  const ids = new Set(described.flat().map(({ operatorId }) => operatorId))
  const differences: StateDifference[] = []
  for (const operatorId of ids) {
    const operators = [operatorOf(before, operatorId), operatorOf(after, operatorId)] as const
    const counts = await countsOf(operators, [before.storage, after.storage])
    const known = described.map(states => states.filter(state => state.operatorId === operatorId))
    const names = new Set(known.flat().map(({ name }) => name))
    for (const state of names) {
      const [old, next] = known.map(states => states.find(({ name }) => name === state))
      differences.push({
        ...{ operatorId, operatorName: (next ?? old)?.operatorName ?? operatorId, state },
        ...{ before: inWords(old), after: inWords(next) },
        ...(counts.get(state) ?? { added: 0, removed: 0, changed: 0, equal: 0 }),
      })
    }
  }
  return differences
}

function operatorOf({ metadata }: Side, operatorId: string): OperatorState | undefined {
  return metadata.operators.find(operator => operator.operatorId === operatorId)
}

function inWords(state: DescribedState | undefined): string | undefined {
  if (state === undefined) return undefined
  const { keyed, kind, type, ttl } = state
  return `${keyed ? 'keyed' : 'operator'} ${kind}${type === undefined ? '' : ` of ${type}`}${ttl === undefined ? '' : `, ttl by ${ttl}`}`
}

async function countsOf(
  operators: readonly [OperatorState | undefined, OperatorState | undefined],
  storages: readonly [InspectedStorage, InspectedStorage],
): Promise<Map<string, Counts>> {
  const counts = new Map<string, Counts>()
  const [before, after] = operators
  const groups = Math.max(before?.maxParallelism ?? 0, after?.maxParallelism ?? 0)
  // With another number of key groups a key is in another one: then all of the state is compared at once.
  const aligned =
    before?.maxParallelism === after?.maxParallelism || before === undefined || after === undefined
  for (const keyGroup of aligned ? Array.from({ length: groups }, (_, i) => i) : [undefined]) {
    compare(
      await keyedValues(before, storages[0], keyGroup),
      await keyedValues(after, storages[1], keyGroup),
      counts,
    )
  }
  compare(await operatorValues(before, storages[0]), await operatorValues(after, storages[1]), counts)
  return counts
}

function compare(before: Values, after: Values, counts: Map<string, Counts>): void {
  for (const state of new Set([...before.keys(), ...after.keys()])) {
    const [old, next] = [
      before.get(state) ?? new Map<string, string>(),
      after.get(state) ?? new Map<string, string>(),
    ]
    const sum = { ...(counts.get(state) ?? { added: 0, removed: 0, changed: 0, equal: 0 }) }
    for (const [id, value] of next) {
      if (!old.has(id)) sum.added++
      else if (old.get(id) === value) sum.equal++
      else sum.changed++
    }
    for (const id of old.keys()) if (!next.has(id)) sum.removed++
    counts.set(state, sum)
  }
}

async function keyedValues(
  operator: OperatorState | undefined,
  storage: InspectedStorage,
  keyGroup: number | undefined,
): Promise<Values> {
  const values: Values = new Map()
  if (operator === undefined) return values
  for await (const { state, kind, namespace, key, mapKey, value } of readKeyedEntries(operator, storage, {
    keyGroup,
  })) {
    // Of timers there is nothing but key, namespace and time: each is one of a kind.
    const parts =
      kind === 'timers'
        ? [typeof namespace, namespace, key, value]
        : [typeof namespace, namespace, key, mapKey]
    put(values, state, parts, value)
  }
  return values
}

/** Elements have no key: each is compared with the one that is equal, if there is one. */
async function operatorValues(
  operator: OperatorState | undefined,
  storage: InspectedStorage,
): Promise<Values> {
  const values: Values = new Map()
  if (operator === undefined) return values
  for await (const { state, value } of readOperatorElements(operator, storage)) {
    let copy = 0
    while (values.get(state)?.has(textOf([value, copy])) === true) copy++
    put(values, state, [value, copy], value)
  }
  return values
}

function put(values: Values, state: string, id: readonly unknown[], value: unknown): void {
  const ofState = values.get(state) ?? new Map<string, string>()
  values.set(state, ofState.set(textOf(id), textOf(value)))
}

function textOf(value: unknown): string {
  return JSON.stringify(toJson(value))
}
