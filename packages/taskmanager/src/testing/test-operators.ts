import type { OperatorContext, Push, StreamOperator } from '@flink-ts/operators'
import type { OperatorSpec } from './slot-harness.ts'

/** A source of 0, 1, 2, ... whose position is in its state. `limit`, `paused` and `batch` can be changed while it runs. */
export class CountingSource {
  limit: number
  paused = false
  /** Records of one turn of the event loop. */
  batch = Number.POSITIVE_INFINITY
  position = 0
  closed = 0
  wake: () => void = () => {}
  readonly label: string

  constructor(label: string, limit = Number.POSITIVE_INFINITY) {
    this.label = label
    this.limit = limit
  }

  get spec(): OperatorSpec {
    return {
      name: this.label,
      create: context => {
        this.wake = () => context.wake()
        const state = context.operatorState.listState<number>('position')
        this.position = state.get()[0] ?? 0
        return {
          source: {
            emit: max => {
              if (this.paused) return 'wait'
              for (let i = 0; i < Math.min(max, this.batch) && this.position < this.limit; i++) {
                const n = this.position++
                context.timestamp[0] = n
                context.out(`${this.label}${n}`)
              }
              if (this.position >= this.limit) return 'end'
              if (this.batch === Number.POSITIVE_INFINITY) return 'more'
              setImmediate(() => context.wake())
              return 'wait'
            },
          },
          snapshotState: () => state.update([this.position]),
          close: () => {
            this.closed++
          },
        }
      },
    }
  }
}

/** Keeps all records, in a list state too, and notes its life cycle. */
export class RecordingOperator {
  readonly records: unknown[] = []
  readonly timestamps: number[] = []
  readonly watermarks: number[] = []
  readonly calls: string[] = []
  context: OperatorContext | undefined
  readonly name: string
  readonly #behaviour: (recorder: RecordingOperator) => Partial<StreamOperator>

  constructor(
    name: string,
    behaviour: (recorder: RecordingOperator) => Partial<StreamOperator> = () => ({}),
  ) {
    this.name = name
    this.#behaviour = behaviour
  }

  get spec(): OperatorSpec {
    return {
      name: this.name,
      create: context => {
        this.context = context
        const state = context.operatorState.listState<unknown>('records')
        this.records.push(...state.get())
        const process: Push = value => {
          this.records.push(value)
          this.timestamps.push(context.timestamp[0] as number)
          context.out(value)
        }
        return {
          processElement: process,
          processElement2: process,
          open: () => {
            this.calls.push('open')
          },
          advanceWatermark: watermark => {
            this.watermarks.push(watermark)
            return true
          },
          snapshotState: id => {
            this.calls.push(`snapshot ${id}`)
            state.update([...this.records])
          },
          notifyCheckpointComplete: id => {
            this.calls.push(`complete ${id}`)
          },
          notifyCheckpointAborted: id => {
            this.calls.push(`aborted ${id}`)
          },
          endInput: input => {
            this.calls.push(`end ${input}`)
          },
          finish: () => {
            this.calls.push('finish')
          },
          close: () => {
            this.calls.push('close')
          },
          ...this.#behaviour(this),
        }
      },
    }
  }
}
