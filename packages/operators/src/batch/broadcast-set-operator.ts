import {
  MAX_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'

/** A record of a broadcast set on its way, or the end of that set. */
export interface BroadcastSetMessage {
  readonly set: string
  readonly end: boolean
  readonly value: unknown
}

/** Names the set that records belong to, and says when it is whole. Runs in one subtask. */
export function broadcastSetOperator(set: string): OperatorFactory {
  return {
    kind: 'broadcast-set',
    create({ out, generate }: OperatorContext): StreamOperator {
      let told = false
      return {
        processElement: generate<Push>(
          ['out', 'set'],
          'return value => { out({ set, end: false, value }) }',
          [out, set],
        ),
        // Before the watermark goes on: behind it operators may come to their end.
        advanceWatermark(watermark) {
          if (watermark < MAX_WATERMARK || told) return true
          told = true
          out({ set, end: true, value: undefined } satisfies BroadcastSetMessage)
          return true
        },
      }
    },
  }
}
