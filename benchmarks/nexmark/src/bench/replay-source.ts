import type { ReaderOutput, Source, SourceReader, SourceReaderContext } from 'flink-ts'
import type { Event } from '../model/events.ts'
import { type MeasuredRun, moment, warmUpOf } from './measured-run.ts'
import { PreparedEvents } from './prepared-events.ts'

interface ReplaySplit {
  readonly position: number
}

interface Options {
  readonly seed: number
  /** Of all subtasks together. */
  readonly events: number
  readonly report: (run: MeasuredRun) => void
}

/** Replays prepared events, and measures itself on the way. */
export class ReplaySource implements Source<Event, ReplaySplit> {
  readonly boundedness = 'bounded'
  readonly kind = 'replay'
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  enumerateSplits(parallelism: number): readonly ReplaySplit[] {
    return Array.from({ length: parallelism }, () => ({ position: 0 }))
  }

  createReader({ subtaskIndex, parallelism }: SourceReaderContext): SourceReader<Event, ReplaySplit> {
    const { seed, events, report } = this.#options
    return new ReplayReader(
      new PreparedEvents(seed, subtaskIndex, parallelism),
      Math.floor(events / parallelism),
      report,
    )
  }
}

class ReplayReader implements SourceReader<Event, ReplaySplit> {
  readonly #events: PreparedEvents
  readonly #count: number
  readonly #report: Options['report']
  #position: number | undefined
  #measuredFrom: { readonly position: number; readonly moment: MeasuredRun['from'] } | undefined

  constructor(events: PreparedEvents, count: number, report: Options['report']) {
    this.#events = events
    this.#count = count
    this.#report = report
  }

  addSplits(splits: readonly ReplaySplit[]): void {
    for (const { position } of splits) this.#position = position
  }

  poll(max: number, output: ReaderOutput<Event>): 'more' | 'end' {
    if (this.#position === undefined) return 'end'
    if (this.#measuredFrom === undefined && this.#position >= warmUpOf(this.#count)) {
      this.#measuredFrom = { position: this.#position, moment: moment() }
    }
    const end = Math.min(this.#count, this.#position + max)
    for (let position = this.#position; position < end; position++) output.collect(this.#events.at(position))
    this.#position = end
    if (end < this.#count) return 'more'
    this.#position = undefined
    const from = this.#measuredFrom
    if (from !== undefined) {
      this.#report({ events: end - from.position, from: from.moment, to: moment() })
    }
    return 'end'
  }

  snapshot(): readonly ReplaySplit[] {
    return this.#position === undefined ? [] : [{ position: this.#position }]
  }
}
