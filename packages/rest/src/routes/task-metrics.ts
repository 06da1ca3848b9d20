import type {
  OperatorRecords,
  SubtaskCheckpoint,
  SubtaskDetails,
  VertexCheckpoint,
  VertexDetails,
} from '@flink-ts/gateways'
import { inputWatermark, watermarkText } from './vertex-watermarks.ts'

/** Metrics by name, as REST shows them. */
export type MetricValues = Readonly<Record<string, string>>

/** Metrics of one subtask by Flink's names; those of its operators begin with the operator's name. */
export function subtaskMetrics(subtask: SubtaskDetails, checkpoint?: SubtaskCheckpoint): MetricValues {
  const ofOperators = (subtask.metrics.operators ?? []).flatMap(operator =>
    Object.entries(operatorMetrics(operator)).map(([name, value]) => [
      metricId(`${operator.name}.${name}`),
      value,
    ]),
  )
  return { ...taskMetrics(subtask, checkpoint), ...Object.fromEntries(ofOperators) }
}

/**
 * Metrics of a subtask without those of its operators.
 * @param checkpoint its part in the latest one
 */
export function taskMetrics(subtask: SubtaskDetails, checkpoint?: SubtaskCheckpoint): MetricValues {
  const { metrics, status } = subtask
  const { load, rates } = metrics
  const watermark = inputWatermark(subtask)
  // What a task did in its last second says nothing about one that is over, or has not begun.
  const runs = status === 'RUNNING'
  const now = (value: number | undefined): number => (runs ? (value ?? 0) : 0)
  const numbers: Record<string, number> = {
    numRecordsIn: metrics.recordsIn,
    numRecordsOut: metrics.recordsOut,
    numBytesIn: metrics.bytesIn,
    numBytesOut: metrics.bytesOut,
    numRecordsInPerSecond: now(rates?.recordsIn),
    numRecordsOutPerSecond: now(rates?.recordsOut),
    numBytesInPerSecond: now(rates?.bytesIn),
    numBytesOutPerSecond: now(rates?.bytesOut),
    busyTimeMsPerSecond: now(load?.perSecond.busyMs),
    idleTimeMsPerSecond: now(load?.perSecond.idleMs),
    backPressuredTimeMsPerSecond: now(load?.perSecond.backPressuredMs),
    accumulateBusyTimeMs: load?.total.busyMs ?? 0,
    accumulateIdleTimeMs: load?.total.idleMs ?? 0,
    accumulateBackPressuredTimeMs: load?.total.backPressuredMs ?? 0,
    ...(checkpoint && {
      checkpointAlignmentTime: Math.round(checkpoint.alignmentMs * 1e6),
      checkpointStartDelayNanos: Math.round(checkpoint.startDelayMs * 1e6),
    }),
    ...(load && bufferUsage(runs ? load : { inputUsage: 0, outputUsage: 0 })),
  }
  return {
    ...textsOf(numbers),
    isBackPressured: String(now(load?.perSecond.backPressuredMs) > 0),
    ...(watermark !== undefined && { currentInputWatermark: watermarkText(watermark) }),
  }
}

/** Under the names of two generations of Flink. */
function bufferUsage({ inputUsage, outputUsage }: { inputUsage: number; outputUsage: number }) {
  return {
    'Shuffle.Netty.Input.Buffers.inPoolUsage': inputUsage,
    'Shuffle.Netty.Output.Buffers.outPoolUsage': outputUsage,
    'buffers.inPoolUsage': inputUsage,
    'buffers.outPoolUsage': outputUsage,
  }
}

const WATERMARK = /^current(In|Out)put\d*Watermark$/

/** Metrics of one operator, those of users among them. */
export function operatorMetrics({ recordsIn, recordsOut, metrics = {} }: OperatorRecords): MetricValues {
  const values = { numRecordsIn: recordsIn, numRecordsOut: recordsOut, ...metrics }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'number' && WATERMARK.test(name) ? watermarkText(value) : String(value),
    ]),
  )
}

/** Names as REST of Flink has them: without what would need quoting in a query. */
function metricId(name: string): string {
  return name
    .replaceAll(/[<>"]/g, '')
    .replaceAll(' ', '_')
    .replaceAll(/[,=;:?'*]/g, '-')
}

/** Metrics of all subtasks of a vertex: `0.numRecordsIn`. */
export function vertexMetrics(vertex: VertexDetails, checkpoint: VertexCheckpoint | undefined): MetricValues {
  return Object.fromEntries(
    vertex.subtasks.flatMap(subtask =>
      Object.entries(subtaskMetrics(subtask, partOf(checkpoint, subtask.index))).map(([id, value]) => [
        `${subtask.index}.${id}`,
        value,
      ]),
    ),
  )
}

/** The part of a subtask in a checkpoint. */
export function partOf(
  checkpoint: VertexCheckpoint | undefined,
  index: number,
): SubtaskCheckpoint | undefined {
  return checkpoint?.subtasks.find(subtask => subtask.index === index)
}

/** Numbers as texts. */
export function textsOf(numbers: Readonly<Record<string, number | string>>): MetricValues {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)]))
}
