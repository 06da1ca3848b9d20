import type { VertexDetails } from '@flink-ts/gateways'

/** As clients of Flink know them: the least and the greatest 64-bit number. */
const NO_WATERMARK = '-9223372036854775808'
const END_OF_INPUT = '9223372036854775807'

/**
 * GET /jobs/:id/vertices/:vertexId/watermarks: event time of each subtask that waits for it. Beside Flink's fields:
 * since when it has stood there, and whose channels are no further.
 */
export function vertexWatermarks(vertex: VertexDetails): readonly object[] {
  return vertex.subtasks.flatMap(({ index, metrics: { eventTime } }) =>
    eventTime === undefined
      ? []
      : {
          id: `${index}.currentInputWatermark`,
          value: watermarkText(eventTime.watermark),
          since: eventTime.sinceMs,
          'held-by': eventTime.heldBy,
        },
  )
}

/** A watermark as Flink shows it. */
export function watermarkText(watermark: number): string {
  if (watermark <= Number.MIN_SAFE_INTEGER) return NO_WATERMARK
  return watermark >= Number.MAX_SAFE_INTEGER ? END_OF_INPUT : String(watermark)
}
