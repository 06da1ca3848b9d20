import type { SubtaskDetails, VertexDetails } from '@flink-ts/gateways'

/** As clients of Flink know them: the least and the greatest 64-bit number. */
const NO_WATERMARK = '-9223372036854775808'
const END_OF_INPUT = '9223372036854775807'

/**
 * GET /jobs/:id/vertices/:vertexId/watermarks: event time of each subtask that has inputs. Beside Flink's fields,
 * where windows or timers wait for it: since when it has stood there, and whose channels are no further.
 */
export function vertexWatermarks(vertex: VertexDetails): readonly object[] {
  return vertex.subtasks.flatMap(subtask => {
    const watermark = inputWatermark(subtask)
    const { eventTime } = subtask.metrics
    if (watermark === undefined) return []
    return {
      id: `${subtask.index}.currentInputWatermark`,
      value: watermarkText(watermark),
      ...(eventTime && { since: eventTime.sinceMs, 'held-by': eventTime.heldBy }),
    }
  })
}

/** Event time of a subtask; undefined: it is a source, or does not run yet. */
export function inputWatermark({ metrics }: SubtaskDetails): number | undefined {
  const ofHead = metrics.operators?.[0]?.metrics?.['currentInputWatermark']
  return metrics.eventTime?.watermark ?? (typeof ofHead === 'number' ? ofHead : undefined)
}

/** A watermark as Flink shows it. */
export function watermarkText(watermark: number): string {
  if (watermark <= Number.MIN_SAFE_INTEGER) return NO_WATERMARK
  return watermark >= Number.MAX_SAFE_INTEGER ? END_OF_INPUT : String(watermark)
}
