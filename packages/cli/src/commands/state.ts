import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { SystemRandom } from '@flink-ts/common'
import { fileSystemFor } from '@flink-ts/filesystem'
import {
  type CheckpointMetadata,
  describeSnapshot,
  diffSnapshots,
  FileSavepointStorage,
  type OperatorState,
  operatorSizeBytes,
  readKeyedEntries,
  readOperatorElements,
  toJson,
} from '@flink-ts/state'
import { OperatorNotInSnapshot, StateValueNotFound } from '../errors.ts'
import { formatCount, formatTable } from '../format.ts'
import type { Terminal } from '../terminal.ts'

interface OpenSnapshot {
  readonly storage: FileSavepointStorage
  readonly metadata: CheckpointMetadata
}

/** `flink state ls`: the states of a snapshot. */
export async function stateListCommand(
  snapshot: string,
  options: { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const { storage, metadata } = await open(snapshot)
  const states = await describeSnapshot(metadata, storage)
  if (options.json === true) {
    terminal.print(
      JSON.stringify({ checkpointId: metadata.checkpointId, jobId: metadata.jobId, states }, null, 2),
    )
    return
  }
  const bytes = metadata.operators.reduce((sum, operator) => sum + operatorSizeBytes(operator), 0)
  terminal.print(
    `${metadata.kind ?? 'checkpoint'} ${metadata.checkpointId} of job ${metadata.jobName ?? metadata.jobId}, ` +
      `${new Date(metadata.timestamp).toISOString()}, ${formatCount(bytes)} bytes` +
      (metadata.drained === true ? ', with which the job was drained' : ''),
  )
  if (states.length === 0) {
    terminal.print('It holds no state.')
    return
  }
  const uids = new Map(metadata.operators.map(({ operatorId, uid }) => [operatorId as string, uid]))
  const rows = states.map(state => [
    withUid(state.operatorName, uids.get(state.operatorId)),
    state.name,
    `${state.keyed ? 'keyed' : 'operator'} ${state.kind}${state.ttl === undefined ? '' : `, ttl by ${state.ttl}`}`,
    state.elements === undefined ? '' : formatCount(state.elements),
    state.type ?? (state.kind === 'timers' ? 'time' : 'unknown'),
  ])
  for (const line of formatTable([['OPERATOR', 'STATE', 'KIND', 'ELEMENTS', 'TYPE'], ...rows]))
    terminal.print(line)
}

const withUid = (name: string, uid: string | undefined): string =>
  uid === undefined ? name : `${name} (uid ${uid})`

/** `flink state diff`: how two snapshots differ, state by state. */
export async function stateDiffCommand(
  snapshots: readonly [string, string],
  options: { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const [before, after] = await Promise.all(snapshots.map(open))
  const differences = await diffSnapshots(before as OpenSnapshot, after as OpenSnapshot)
  if (options.json === true) {
    terminal.print(JSON.stringify(differences, null, 2))
    return
  }
  const rows = differences.map(({ operatorName, state, added, removed, changed, equal, ...kinds }) => [
    ...[operatorName, state, ...[added, removed, changed, equal].map(formatCount)],
    kinds.before === kinds.after ? '' : `${kinds.before ?? 'none'} -> ${kinds.after ?? 'none'}`,
  ])
  const titles = ['OPERATOR', 'STATE', 'ADDED', 'REMOVED', 'CHANGED', 'EQUAL', 'DECLARATION']
  for (const line of formatTable([titles, ...rows])) terminal.print(line.trimEnd())
}

/** `flink state get`: the values of one key of a keyed state. */
export async function stateGetCommand(
  names: {
    readonly snapshot: string
    readonly operator: string
    readonly state: string
    readonly key: string
  },
  terminal: Terminal,
): Promise<void> {
  const { storage, metadata } = await open(names.snapshot)
  const operator = operatorOf(metadata, names)
  let found = 0
  for (const key of keysMeantBy(names.key)) {
    for await (const entry of readKeyedEntries(operator, storage, { state: names.state, key })) {
      found++
      const { namespace, mapKey, value, time } = entry
      const place = {
        ...(namespace === undefined ? {} : { namespace }),
        ...('mapKey' in entry ? { mapKey: toJson(mapKey) } : {}),
        ...(time === undefined ? {} : { time: toJson(time) }),
      }
      const shown = JSON.stringify(toJson(value))
      terminal.print(Object.keys(place).length === 0 ? shown : `${JSON.stringify(place)} ${shown}`)
    }
  }
  if (found > 0) return
  const { snapshot, state, key } = names
  throw StateValueNotFound({ snapshot, operator: operator.name ?? operator.operatorId, state, key })
}

/** `flink state export`: all values as lines of JSON. */
export async function stateExportCommand(
  snapshot: string,
  options: { readonly output?: string; readonly operator?: string; readonly state?: string },
  terminal: Terminal,
): Promise<void> {
  const { storage, metadata } = await open(snapshot)
  const named = options.operator
  const operators =
    named === undefined ? metadata.operators : [operatorOf(metadata, { snapshot, operator: named })]
  const sink = options.output === undefined ? undefined : createWriteStream(options.output, { flags: 'wx' })
  // Opening fails by an event; it must be heard before anything is written.
  if (sink !== undefined) await once(sink, 'open')
  let lines = 0
  for (const operator of operators) {
    for await (const line of linesOf(operator, storage, options.state)) {
      lines++
      const text = JSON.stringify(line)
      if (sink === undefined) terminal.print(text)
      else if (!sink.write(`${text}\n`)) await once(sink, 'drain')
    }
  }
  if (sink === undefined) return
  sink.end()
  await once(sink, 'close')
  terminal.print(`${formatCount(lines)} values written to ${options.output}`)
}

async function* linesOf(
  operator: OperatorState,
  storage: FileSavepointStorage,
  onlyState: string | undefined,
): AsyncIterable<Readonly<Record<string, unknown>>> {
  const name = operator.name ?? operator.operatorId
  for await (const entry of readKeyedEntries(operator, storage, { state: onlyState })) {
    yield {
      ...{ operator: name, state: entry.state, kind: entry.kind },
      ...(entry.namespace === undefined ? {} : { namespace: entry.namespace }),
      key: toJson(entry.key),
      ...('mapKey' in entry ? { mapKey: toJson(entry.mapKey) } : {}),
      value: toJson(entry.value),
      ...(entry.time === undefined ? {} : { time: toJson(entry.time) }),
    }
  }
  for await (const { state, mode, subtask, value } of readOperatorElements(operator, storage)) {
    if (onlyState !== undefined && state !== onlyState) continue
    yield { operator: name, state, kind: mode, subtask, value: toJson(value) }
  }
}

async function open(snapshot: string): Promise<OpenSnapshot> {
  const storage = new FileSavepointStorage(
    { inlineThresholdBytes: 0 },
    { fileSystemFor, random: new SystemRandom() },
  )
  return { storage, metadata: await storage.readMetadata(snapshot) }
}

function operatorOf(
  metadata: CheckpointMetadata,
  names: { readonly snapshot: string; readonly operator: string },
): OperatorState {
  const { snapshot, operator: wanted } = names
  const byUid = metadata.operators.filter(({ uid }) => uid === wanted)
  const found =
    byUid.length > 0
      ? byUid
      : metadata.operators.filter(({ operatorId, name }) => operatorId === wanted || name === wanted)
  if (found.length === 1) return found[0] as OperatorState
  const known = metadata.operators.map(({ operatorId, name, uid }) =>
    name === undefined ? operatorId : `${name} (${uid === undefined ? operatorId : `uid ${uid}`})`,
  )
  throw OperatorNotInSnapshot({ snapshot, operator: wanted, matches: found.length, known })
}

/** Keys that a text on the command line can stand for: JSON, a bigint or Date as exported, or the text itself. */
function keysMeantBy(text: string): readonly unknown[] {
  try {
    const value = JSON.parse(text) as unknown
    if (typeof value === 'object' && value !== null) {
      if ('$bigint' in value) return [BigInt(String(value.$bigint))]
      if ('$date' in value) return [new Date(String(value.$date))]
    }
    // 5 is the number before it is the text; which of them the job has is not known.
    return typeof value === 'string' || typeof value === 'object' ? [value] : [value, text]
  } catch {
    const time = /^\d{4}-\d\d-\d\dT/.test(text) ? new Date(text) : undefined
    return time === undefined || Number.isNaN(time.getTime()) ? [text] : [text, time]
  }
}
