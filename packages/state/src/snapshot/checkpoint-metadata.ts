import { NewerFormat, NotACheckpoint } from '../errors.ts'
import type {
  CheckpointMetadata,
  OperatorState,
  OperatorSubtaskState,
  StateLocation,
} from './state-handle.ts'

/**
 * Version of `_metadata`. A stored format: readers keep all earlier ones. 2 has records on their way (`inputs`), which
 * readers of 1 would lose without a word; 3 has keyed state in files that follow each other (`delta`), 4 in files of
 * RocksDB (`storeFiles`). Each is written only if it is needed.
 */
export const METADATA_VERSION = 4
const FORMAT = 'flink-ts checkpoint'

/**
 * The content of `_metadata`: one JSON object with `format` and `version` in front.
 * @param toStored how the path of a state file is written, so that the folder can be moved
 */
export function encodeMetadata(metadata: CheckpointMetadata, toStored: (path: string) => string): Buffer {
  const { checkpointId, jobId, jobName, kind, drained, timestamp } = metadata
  const operators = metadata.operators.map(operator => mapPaths(operator, toStored))
  const version = versionFor(operators)
  const facts = { checkpointId, jobId, jobName, kind, drained, timestamp }
  const content = { format: FORMAT, version, ...facts, operators }
  return Buffer.from(JSON.stringify(content))
}

/**
 * The inverse of {@link encodeMetadata}. Throws `state.not-a-checkpoint`, `state.newer-format`.
 * @param pointer for messages
 */
export function decodeMetadata(
  bytes: Buffer,
  pointer: string,
  fromStored: (path: string) => string,
): CheckpointMetadata {
  const content = parse(bytes, pointer)
  if (
    typeof content !== 'object' ||
    content === null ||
    !('format' in content) ||
    content.format !== FORMAT
  ) {
    throw NotACheckpoint({ pointer, reason: 'its content is of another kind' })
  }
  const { version } = content as { version?: unknown }
  if (typeof version === 'number' && version > METADATA_VERSION) {
    throw NewerFormat({ where: pointer, version, newest: METADATA_VERSION })
  }
  const metadata = content as unknown as CheckpointMetadata
  const damage = damageOf(metadata)
  if (damage !== undefined) throw NotACheckpoint({ pointer, reason: `it is damaged: ${damage}` })
  const { checkpointId, jobId, jobName, kind, drained, timestamp } = metadata
  const operators = metadata.operators.map(operator => mapPaths(operator, fromStored))
  return {
    ...{ version: metadata.version, checkpointId, jobId, timestamp, operators },
    ...(jobName !== undefined && { jobName }),
    ...(kind !== undefined && { kind }),
    ...(drained === true && { drained }),
  }
}

/** The oldest version that can say it. */
function versionFor(operators: readonly OperatorState[]): number {
  const states = operators.flatMap(({ subtasks }) => subtasks.map(({ state }) => state))
  if (states.some(({ keyed }) => keyed.some(({ storeFiles }) => storeFiles !== undefined)))
    return METADATA_VERSION
  if (states.some(({ keyed }) => keyed.some(({ delta }) => delta !== undefined))) return 3
  return states.some(({ inputs = [] }) => inputs.length > 0) ? 2 : 1
}

function parse(bytes: Buffer, pointer: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw NotACheckpoint({ pointer, reason: 'its content is no JSON' }, error)
  }
}

function damageOf(metadata: CheckpointMetadata): string | undefined {
  if (!Number.isInteger(metadata.version)) return 'version is no number'
  if (!Number.isInteger(metadata.checkpointId)) return 'checkpointId is no number'
  if (typeof metadata.jobId !== 'string') return 'jobId is no text'
  if (typeof metadata.timestamp !== 'number') return 'timestamp is no number'
  if (!Array.isArray(metadata.operators)) return 'operators is no list'
  for (const operator of metadata.operators as readonly OperatorState[]) {
    const where = `operator ${String(operator?.operatorId)}`
    if (typeof operator?.operatorId !== 'string') return 'an operator has no id'
    if (!Number.isInteger(operator.parallelism)) return `${where} has no parallelism`
    if (!Number.isInteger(operator.maxParallelism)) return `${where} has no maximum parallelism`
    if (!Array.isArray(operator.subtasks)) return `${where} has no list of subtasks`
    const { coordinator } = operator
    if (coordinator !== undefined && typeof coordinator?.base64 !== 'string')
      return `${where} has an unreadable state of its coordinator`
    for (const { index, state } of operator.subtasks) {
      if (!Number.isInteger(index) || !isSubtaskState(state)) return `${where} has a subtask without state`
    }
  }
  return undefined
}

function isSubtaskState(state: OperatorSubtaskState | undefined): boolean {
  if (!Array.isArray(state?.keyed) || !Array.isArray(state.operator)) return false
  return (
    state.keyed.every(
      h => isLocation(h?.location) && Array.isArray(h.offsets) && Number.isInteger(h.keyGroupRange?.end),
    ) &&
    state.operator.every(h => isLocation(h?.location) && Array.isArray(h.states)) &&
    (state.inputs ?? []).every(h => isLocation(h?.location) && Array.isArray(h.channels))
  )
}

function isLocation(location: StateLocation | undefined): boolean {
  if (location?.type === 'inline') return typeof location.base64 === 'string'
  return (
    location?.type === 'file' && typeof location.path === 'string' && Number.isInteger(location.sizeBytes)
  )
}

function mapPaths(operator: OperatorState, map: (path: string) => string): OperatorState {
  const move = <H extends { readonly location: StateLocation }>(handle: H): H => ({
    ...handle,
    location:
      handle.location.type === 'file'
        ? { ...handle.location, path: map(handle.location.path) }
        : handle.location,
  })
  return {
    ...operator,
    subtasks: operator.subtasks.map(({ index, state }) => ({
      index,
      state: {
        ...state,
        keyed: state.keyed.map(move),
        operator: state.operator.map(move),
        ...(state.inputs !== undefined && { inputs: state.inputs.map(move) }),
      },
    })),
  }
}
