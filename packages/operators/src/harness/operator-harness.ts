import { type AccumulatorValue, ManualClock, nullLogger, type OperatorId } from '@flink-ts/common'
import type { KeyedStateBackend } from '@flink-ts/state'
import { generateFunction } from '../codegen/generate-function.ts'
import {
  MIN_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import {
  InMemoryKeyedState,
  InMemoryOperatorState,
  type KeyedSnapshot,
  type OperatorSnapshot,
} from './in-memory-state.ts'

/** Snapshot of a harness: what a checkpoint of its operator would hold. */
export interface HarnessSnapshot {
  readonly checkpointId: number
  readonly keyed: KeyedSnapshot
  readonly operator: OperatorSnapshot
}

/** Something that the operator emitted. */
export interface Emitted {
  readonly value: unknown
  /** NaN for none. */
  readonly timestamp: number
}

/** How a harness differs from the default: subtask 0 of 1, fresh start, checkpointing on. */
export interface HarnessOptions {
  readonly restored?: HarnessSnapshot
  readonly subtaskIndex?: number
  readonly parallelism?: number
  readonly batch?: boolean
  readonly checkpointingEnabled?: boolean
  readonly autoWatermarkIntervalMs?: number
  readonly clock?: ManualClock
  readonly shouldYield?: () => boolean
  readonly onEmit?: (emitted: Emitted) => void
  /** A real backend in place of the harness's own; its snapshots are the test's business. */
  readonly backend?: KeyedStateBackend
}

/** Runs one operator as a task would, in the calling thread, with a manual clock. */
export class OperatorHarness {
  readonly operator: StreamOperator
  readonly emitted: Emitted[] = []
  readonly sideOutputs = new Map<string, Emitted[]>()
  readonly watermarks: number[] = []
  /** As they would be reported now. */
  readonly accumulators: Record<string, AccumulatorValue> = {}
  readonly failures: unknown[] = []
  /** What went to the coordinator. */
  readonly operatorEvents: Uint8Array[] = []
  /** Unfinished files, with the checkpoint that covers them. */
  readonly files = new Map<string, number | undefined>()
  readonly keyedState: InMemoryKeyedState
  readonly operatorState: InMemoryOperatorState
  readonly clock: ManualClock
  readonly timestamp = new Float64Array([Number.NaN])
  /** What the operator tells of itself. */
  readonly metrics = new Map<string, () => number | string>()
  idleCalls = 0
  wakeCalls = 0
  available = true
  /** What the operator is told; for tests to set. */
  blocked = false
  #watermark = MIN_WATERMARK

  constructor(factory: OperatorFactory, options: HarnessOptions = {}) {
    this.clock = options.clock ?? new ManualClock()
    this.keyedState = new InMemoryKeyedState(options.restored?.keyed)
    this.operatorState = new InMemoryOperatorState(options.restored?.operator)
    this.operator = factory.create(this.#context(options))
  }

  async open(): Promise<this> {
    await this.operator.open?.()
    return this
  }

  /** Sends a record; the register must be left as it was. */
  push(value: unknown, timestamp = Number.NaN): void {
    this.timestamp[0] = timestamp
    this.operator.processElement?.(value)
    if (!Object.is(this.timestamp[0], timestamp)) throw new Error('operator changed the timestamp register')
  }

  /** {@link OperatorHarness.push} for the second input. */
  pushSecond(value: unknown, timestamp = Number.NaN): void {
    this.timestamp[0] = timestamp
    this.operator.processElement2?.(value)
    if (!Object.is(this.timestamp[0], timestamp)) throw new Error('operator changed the timestamp register')
  }

  /** One call of `advanceWatermark`; true when done. */
  step(watermark: number): boolean {
    this.#watermark = Math.max(this.#watermark, watermark)
    const done = this.operator.advanceWatermark?.(watermark) ?? true
    if (done) {
      const forwarded =
        this.operator.forwardWatermark === undefined ? watermark : this.operator.forwardWatermark(watermark)
      if (forwarded !== undefined) this.watermarks.push(forwarded)
    }
    return done
  }

  /** Advances event time until all is fired. */
  advance(watermark: number): void {
    while (!this.step(watermark)) {
      // suspended: again
    }
  }

  async snapshot(checkpointId: number): Promise<HarnessSnapshot> {
    await this.operator.prepareSnapshot?.(checkpointId)
    const keyed = this.keyedState.snapshotNow()
    await this.operator.snapshotState?.(checkpointId)
    return { checkpointId, keyed, operator: this.operatorState.snapshotNow() }
  }

  values(): unknown[] {
    return this.emitted.map(emitted => emitted.value)
  }

  #context(options: HarnessOptions): OperatorContext {
    const keep = (into: Emitted[]) => (value: unknown) => {
      const emitted = { value, timestamp: this.timestamp[0] as number }
      into.push(emitted)
      options.onEmit?.(emitted)
    }
    return {
      operatorId: '0'.repeat(32) as OperatorId,
      operatorName: 'operator under test',
      jobId: 'job',
      jobName: 'job',
      subtaskIndex: options.subtaskIndex ?? 0,
      parallelism: options.parallelism ?? 1,
      maxParallelism: 128,
      attemptNumber: options.restored === undefined ? 0 : 1,
      batch: options.batch ?? false,
      checkpointingEnabled: options.checkpointingEnabled ?? true,
      restoredCheckpointId: options.restored?.checkpointId,
      autoWatermarkIntervalMs: options.autoWatermarkIntervalMs ?? 200,
      globalJobParameters: {},
      timestamp: this.timestamp,
      out: keep(this.emitted),
      sideOutput: tag => {
        const into = this.sideOutputs.get(tag) ?? []
        this.sideOutputs.set(tag, into)
        return keep(into)
      },
      generate: (names, body, values) => generateFunction('test', names, body, values),
      keyedState: options.backend ?? this.keyedState,
      operatorState: this.operatorState,
      files: {
        made: uri => this.files.set(uri, undefined),
        covered: (uris, checkpointId) => {
          for (const uri of uris) this.files.set(uri, checkpointId)
        },
        gone: uris => {
          for (const uri of uris) this.files.delete(uri)
        },
      },
      emitWatermark: watermark => {
        this.watermarks.push(watermark)
      },
      emitIdle: () => {
        this.idleCalls++
      },
      currentWatermark: () => this.#watermark,
      shouldYield: options.shouldYield ?? (() => false),
      isBlocked: () => this.blocked,
      processingTime: () => this.clock.now(),
      scheduleProcessingTime: (time, action) =>
        this.clock.schedule(Math.max(0, time - this.clock.now()), action),
      execute: action => {
        this.clock.schedule(0, action)
      },
      wake: () => {
        this.wakeCalls++
      },
      fail: error => {
        this.failures.push(error)
      },
      setAvailable: available => {
        this.available = available
      },
      sendOperatorEvent: event => {
        this.operatorEvents.push(event)
      },
      setMetric: (name, read) => {
        this.metrics.set(name, read)
      },
      setAccumulator: (name, value) => {
        const get = typeof value === 'function' ? value : () => value
        Object.defineProperty(this.accumulators, name, { get, enumerable: true, configurable: true })
      },
      logger: nullLogger,
    }
  }
}
