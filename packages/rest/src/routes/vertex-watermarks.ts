import type { JobDetails } from '@flink-ts/gateways'
import { VertexNotFound } from '../errors.ts'

/** As clients of Flink know them: the least and the greatest 64-bit number. */
const NO_WATERMARK = '-9223372036854775808'
const END_OF_INPUT = '9223372036854775807'

/**
 * GET /jobs/:id/vertices/:vertexId/watermarks: event time of each subtask that waits for it. Beside Flink's fields:
 * since when it has stood there, and whose channels are no further.
 * @throws rest.vertex-not-found
 */
export function vertexWatermarks(job: JobDetails, vertexId: string): readonly object[] {
  const vertex = job.vertices.find(({ id }) => id === vertexId)
  if (vertex === undefined) {
    throw VertexNotFound({ jobId: job.jobId, vertexId, known: job.vertices.map(({ id }) => id) })
  }
  return vertex.subtasks.flatMap(({ index, metrics: { eventTime } }) =>
    eventTime === undefined
      ? []
      : {
          id: `${index}.currentInputWatermark`,
          value: watermarkOf(eventTime.watermark),
          since: eventTime.sinceMs,
          'held-by': eventTime.heldBy,
        },
  )
}

function watermarkOf(watermark: number): string {
  if (watermark <= Number.MIN_SAFE_INTEGER) return NO_WATERMARK
  return watermark >= Number.MAX_SAFE_INTEGER ? END_OF_INPUT : String(watermark)
}
