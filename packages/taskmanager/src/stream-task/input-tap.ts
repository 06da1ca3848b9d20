import { inspect } from 'node:util'
import type { Clock, Timer } from '@flink-ts/common'
import type { TapAnswer, TappedRecord, TapRequest } from '@flink-ts/gateways'
import { KeySketch } from './key-sketch.ts'
import type { TaskInputs } from './task-inputs.ts'

interface InputTapOptions {
  readonly request: TapRequest
  readonly subtaskIndex: number
  readonly maxParallelism: number
}

interface InputTapDependencies {
  readonly inputs: Pick<TaskInputs, 'observe'>
  /** Of an input of the head; undefined: it is not keyed. */
  readonly keySelector: (input: number) => ((record: never) => unknown) | undefined
  /** Of the record that comes in. */
  readonly timestamp: Float64Array
  readonly clock: Clock
}

/** Of one record; what it holds beyond is cut off. */
const MOST_TEXT = 4000

/**
 * Looks at the records that come into a task until the time is over or enough was seen. Before and after, records take
 * their way without any trace of it. Owner: the task.
 */
export class InputTap {
  readonly answer: Promise<TapAnswer>
  readonly #options: InputTapOptions
  readonly #ports: InputTapDependencies
  readonly #resolve: (answer: TapAnswer) => void
  readonly #startMs: number
  readonly #records: TappedRecord[] = []
  readonly #sketch: KeySketch
  readonly #timer: Timer
  readonly #remove: () => void
  readonly #spacingMs: number
  #isKeyed = false
  #seen = 0
  #sizeBytes = 0
  #nextMs: number
  #over = false

  constructor(options: InputTapOptions, dependencies: InputTapDependencies) {
    const { promise, resolve } = Promise.withResolvers<TapAnswer>()
    const { request, maxParallelism } = options
    this.answer = promise
    this.#resolve = resolve
    this.#options = options
    this.#ports = dependencies
    this.#sketch = new KeySketch({ maxParallelism })
    this.#startMs = dependencies.clock.monotonicMs()
    this.#nextMs = this.#startMs
    // Some early, the rest spread: who looks at a busy task wants to see more than its first batch.
    this.#spacingMs = request.durationMs / Math.max(1, request.limit)
    this.#timer = dependencies.clock.schedule(request.durationMs, () => this.end(), { unref: true })
    this.#remove = dependencies.inputs.observe(request.from, (record, input, sender) => {
      this.#seen++
      if (request.what === 'keys') this.#addKey(record, input)
      else this.#addRecord(record, sender)
    })
  }

  /** Answers with what was seen. Idempotent. */
  end(): void {
    if (this.#over) return
    this.#over = true
    this.#timer.cancel()
    this.#remove()
    const { subtaskIndex, maxParallelism, request } = this.#options
    const durationMs = Math.round(this.#ports.clock.monotonicMs() - this.#startMs)
    const keys = {
      most: this.#sketch.most(request.limit),
      groups: this.#sketch.groups(),
      maxParallelism,
    }
    this.#resolve({
      ...{ subtaskIndex, seen: this.#seen, durationMs, records: this.#records },
      ...(this.#isKeyed && { keys }),
    })
  }

  #addKey(record: unknown, input: number): void {
    const keyOf = this.#ports.keySelector(input)
    if (keyOf === undefined) return
    this.#isKeyed = true
    try {
      this.#sketch.add(record, keyOf)
    } catch {
      // The operator meets the same record next, and its failure is the one that counts.
    }
  }

  #addRecord(record: unknown, sender: string): void {
    const nowMs = this.#ports.clock.monotonicMs()
    if (nowMs < this.#nextMs) return
    const { request, subtaskIndex } = this.#options
    this.#nextMs = nowMs + this.#spacingMs
    const [timestamp = Number.NaN] = this.#ports.timestamp
    const text = textOf(record)
    this.#sizeBytes += Buffer.byteLength(text)
    if (this.#sizeBytes <= request.limitBytes)
      this.#records.push({
        ...{ subtaskIndex, sender, text, takenAt: this.#ports.clock.now() },
        timestamp: Number.isNaN(timestamp) ? null : timestamp,
      })
    if (this.#records.length >= request.limit || this.#sizeBytes >= request.limitBytes) this.end()
  }
}

/** Runs no code of the user's: neither getters nor `inspect` functions of theirs. */
function textOf(record: unknown): string {
  const text = inspect(record, {
    ...{ depth: 5, maxArrayLength: 50, maxStringLength: 1000, breakLength: Number.POSITIVE_INFINITY },
    ...{ customInspect: false, getters: false },
  })
  return text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)}...` : text
}
