import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReaderOutput, Source, SourceReader, SourceReaderContext } from 'flink-ts'
import type { Event } from '../model/events.ts'
import { type MeasuredRun, memoryUse, moment, warmUpOf } from './measured-run.ts'
import { PreparedEvents } from './prepared-events.ts'

interface ReplaySplit {
  readonly position: number
}

interface Options {
  readonly seed: number
  /** Of all subtasks together. */
  readonly events: number
  /** An empty folder. Readers begin when all are ready: what prepares one is not to be measured with another. */
  readonly gate: string
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

  createReader(context: SourceReaderContext): SourceReader<Event, ReplaySplit> {
    return new ReplayReader(this.#options, context)
  }
}

const LOOK_EVERY_MS = 10

class ReplayReader implements SourceReader<Event, ReplaySplit> {
  readonly #options: Options
  readonly #context: SourceReaderContext
  readonly #events: PreparedEvents
  readonly #count: number
  #position: number | undefined
  #begun = false
  #measuredFrom: { readonly position: number; readonly moment: MeasuredRun['from'] } | undefined

  constructor(options: Options, context: SourceReaderContext) {
    const { subtaskIndex, parallelism } = context
    this.#options = options
    this.#context = context
    this.#events = new PreparedEvents(options.seed, subtaskIndex, parallelism)
    this.#count = Math.floor(options.events / parallelism)
    writeFileSync(join(options.gate, String(subtaskIndex)), '')
  }

  addSplits(splits: readonly ReplaySplit[]): void {
    for (const { position } of splits) this.#position = position
  }

  poll(max: number, output: ReaderOutput<Event>): 'more' | 'wait' | 'end' {
    if (this.#position === undefined) return 'end'
    if (!this.#begun) {
      this.#begun = readdirSync(this.#options.gate).length === this.#context.parallelism
      setTimeout(() => this.#context.wake(), LOOK_EVERY_MS)
      return 'wait'
    }
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
      const to = moment()
      this.#options.report({ events: end - from.position, from: from.moment, to, memory: memoryUse() })
    }
    return 'end'
  }

  snapshot(): readonly ReplaySplit[] {
    return this.#position === undefined ? [] : [{ position: this.#position }]
  }
}
