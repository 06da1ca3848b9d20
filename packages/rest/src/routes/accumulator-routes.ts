import {
  type AccumulatorValue,
  type AccumulatorValues,
  accumulatorResult,
  isStoredList,
  mergeAccumulatorValues,
} from '@flink-ts/common'
import type { SubtaskAttempt, VertexAttempts } from '@flink-ts/gateways'
import { placeOf } from './subtask-info.ts'

/** GET /jobs/:id/accumulators */
export function jobAccumulators(vertices: readonly VertexAttempts[]): object {
  return {
    'job-accumulators': [],
    'user-task-accumulators': shown(vertices.flatMap(current)),
    'serialized-user-task-accumulators': {},
  }
}

/** GET /jobs/:id/vertices/:vertexId/accumulators */
export function vertexAccumulators(vertex: VertexAttempts): object {
  return { id: vertex.vertexId, 'user-accumulators': shown(current(vertex)) }
}

/** GET /jobs/:id/vertices/:vertexId/subtasks/accumulators */
export function subtaskAccumulators(vertex: VertexAttempts): object {
  return {
    id: vertex.vertexId,
    parallelism: vertex.subtasks.length,
    subtasks: current(vertex).map(attempt => ({
      subtask: attempt.index,
      attempt: attempt.attempt,
      ...placeOf(attempt),
      'user-accumulators': shown([attempt]),
    })),
  }
}

/** GET /jobs/:id/vertices/:vertexId/subtasks/:index/attempts/:attempt/accumulators */
export function attemptAccumulators(attempt: SubtaskAttempt, vertexId: string): object {
  return {
    id: `${vertexId}_${attempt.index}_${attempt.attempt}`,
    subtask: attempt.index,
    attempt: attempt.attempt,
    'user-accumulators': shown([attempt]),
  }
}

function current({ subtasks }: VertexAttempts): readonly SubtaskAttempt[] {
  return subtasks.flatMap(([newest]) => (newest === undefined ? [] : newest))
}

/** All that were added under a name are one, as in the result of the job. */
function shown(attempts: readonly { readonly accumulators: AccumulatorValues }[]): readonly object[] {
  const merged = new Map<string, AccumulatorValue>()
  for (const { accumulators } of attempts) {
    for (const [name, value] of Object.entries(accumulators)) {
      const known = merged.get(name)
      merged.set(name, known === undefined ? value : mergeAccumulatorValues(known, value))
    }
  }
  return [...merged].map(([name, value]) => ({ name, type: typeOf(value), value: textOf(value) }))
}

function typeOf(value: AccumulatorValue): string {
  if (typeof value === 'number') return Number.isInteger(value) ? 'LongCounter' : 'DoubleCounter'
  if (!('kind' in value)) return 'ListAccumulator'
  switch (value.kind) {
    case 'minimum':
      return 'DoubleMinimum'
    case 'maximum':
      return 'DoubleMaximum'
    case 'average':
      return 'AverageAccumulator'
    case 'histogram':
      return 'Histogram'
    case 'stored':
      return 'ListAccumulator'
  }
}

/** Longer lists are not for reading: the result of the job has them. */
const MOST_ELEMENTS = 1000

function textOf(value: AccumulatorValue): string {
  if (isStoredList(value)) return 'a long list: see the result of the job'
  if (Array.isArray(value) && value.length > MOST_ELEMENTS)
    return `a list of ${value.length} elements: see the result of the job`
  const result = accumulatorResult(value)
  return typeof result === 'number' ? String(result) : jsonOf(result)
}

function jsonOf(value: unknown): string {
  // Lists may hold what JSON does not know.
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item))
}
