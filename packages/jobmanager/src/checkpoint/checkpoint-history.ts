import type {
  CheckpointAcknowledgement,
  CheckpointRecord,
  CheckpointStatistics,
  RestoredRecord,
  SubtaskCheckpoint,
  Summary,
} from '@flink-ts/gateways'
import type { JobGraph } from '@flink-ts/jobgraph'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import type { CompletedCheckpoint } from './completed-store.ts'
import type { PendingCheckpoint } from './pending-checkpoint.ts'

/** So many completed checkpoints make up the summary. */
const MAX_SAMPLES = 1000

interface Entry {
  readonly id: number
  readonly kind: CheckpointRecord['kind']
  readonly triggeredAt: number
  readonly subtasks: Map<SubtaskKey, SubtaskCheckpoint>
  status: CheckpointRecord['status']
  latestAckAt: number
  /** -1: it goes on. */
  durationMs: number
  stateBytes: number
  writtenBytes: number
  pointer?: string
  discarded?: boolean
  failure?: { readonly timestamp: number; readonly message: string }
}

/** Remembers the checkpoints of a job for people to look at; nothing is decided by it. Owner: the coordinator. */
export class CheckpointHistory {
  readonly #graph: JobGraph
  readonly #maxEntries: number
  /** Newest last. */
  readonly #entries: Entry[] = []
  readonly #totals = { triggered: 0, completed: 0, failed: 0, restored: 0 }
  readonly #samples: {
    stateBytes: number
    writtenBytes: number
    durationMs: number
    persistedBytes: number
    processedBytes: number
    bufferedBytes: number
  }[] = []
  readonly #latest: Partial<Record<'completed' | 'savepoint' | 'failed', Entry>> = {}
  #restored: RestoredRecord | undefined

  constructor(graph: JobGraph, maxEntries: number) {
    this.#graph = graph
    this.#maxEntries = maxEntries
  }

  triggered({ id, savepoint, timestamp }: PendingCheckpoint): void {
    this.#totals.triggered++
    const kind = savepoint === undefined ? 'checkpoint' : savepoint.stop === 'no' ? 'savepoint' : 'stop'
    const counters = { latestAckAt: -1, durationMs: -1, stateBytes: 0, writtenBytes: 0 }
    this.#entries.push({
      ...{ id, kind, triggeredAt: timestamp, subtasks: new Map(), status: 'IN_PROGRESS', ...counters },
    })
    // Those that go on are never forgotten.
    const over = this.#entries.findIndex(entry => entry.status !== 'IN_PROGRESS')
    if (this.#entries.length > this.#maxEntries && over >= 0) this.#entries.splice(over, 1)
  }

  acknowledged(
    checkpointId: number,
    key: SubtaskKey,
    metrics: CheckpointAcknowledgement['metrics'] | undefined,
    epochMs: number,
  ): void {
    const entry = this.#entry(checkpointId)
    if (entry === undefined || metrics === undefined) return
    const {
      stateBytes,
      writtenBytes = stateBytes,
      persistedBytes = 0,
      processedBytes = 0,
      bufferedBytes = 0,
      syncMs,
      asyncMs,
      alignmentMs,
      startDelayMs,
      unaligned,
    } = metrics
    const index = Number(key.slice(key.lastIndexOf('/') + 1))
    const times = { syncMs, asyncMs, alignmentMs, startDelayMs }
    const inFlight = { persistedBytes, processedBytes, bufferedBytes }
    const sizes = { stateBytes, writtenBytes, ...inFlight, unaligned: unaligned === true }
    entry.subtasks.set(key, { index, acknowledgedAt: epochMs, ...sizes, ...times })
    entry.stateBytes += stateBytes
    entry.writtenBytes += writtenBytes
    entry.latestAckAt = epochMs
  }

  completed({
    id,
    pointer,
    stateBytes,
    durationMs,
  }: Omit<CompletedCheckpoint, 'metadata' | 'origins' | 'external'>): void {
    this.#totals.completed++
    const entry = this.#entry(id)
    if (entry === undefined) return
    Object.assign(entry, { status: 'COMPLETED', pointer, stateBytes, durationMs })
    this.#latest[entry.kind === 'checkpoint' ? 'completed' : 'savepoint'] = entry
    const sum = (field: 'persistedBytes' | 'processedBytes' | 'bufferedBytes'): number =>
      [...entry.subtasks.values()].reduce((all, subtask) => all + (subtask[field] ?? 0), 0)
    this.#samples.push({
      ...{ stateBytes, writtenBytes: entry.writtenBytes, durationMs },
      ...{ persistedBytes: sum('persistedBytes'), processedBytes: sum('processedBytes') },
      bufferedBytes: sum('bufferedBytes'),
    })
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }

  failed(checkpointId: number, message: string, epochMs: number): void {
    this.#totals.failed++
    const entry = this.#entry(checkpointId)
    if (entry === undefined) return
    const durationMs = epochMs - entry.triggeredAt
    Object.assign(entry, { status: 'FAILED', durationMs, failure: { timestamp: epochMs, message } })
    this.#latest.failed = entry
  }

  discarded(checkpointId: number): void {
    const entry = this.#entry(checkpointId)
    if (entry?.status === 'COMPLETED') entry.discarded = true
  }

  /** Tasks were deployed with the state of a snapshot. */
  restored(record: RestoredRecord): void {
    this.#totals.restored++
    this.#restored = record
  }

  describe(inProgress: number, epochMs: number): CheckpointStatistics {
    const record = (entry: Entry | undefined): CheckpointRecord | undefined =>
      entry && this.#describe(entry, epochMs)
    const { completed, savepoint, failed } = this.#latest
    return {
      totals: { ...this.#totals, inProgress },
      history: this.#entries.toReversed().map(entry => this.#describe(entry, epochMs)),
      latest: {
        ...{ completed: record(completed), savepoint: record(savepoint), failed: record(failed) },
        restored: this.#restored,
      },
      summary: {
        stateBytes: summaryOf(this.#samples.map(sample => sample.stateBytes)),
        writtenBytes: summaryOf(this.#samples.map(sample => sample.writtenBytes)),
        durationMs: summaryOf(this.#samples.map(sample => sample.durationMs)),
        persistedBytes: summaryOf(this.#samples.map(sample => sample.persistedBytes)),
        processedBytes: summaryOf(this.#samples.map(sample => sample.processedBytes)),
        bufferedBytes: summaryOf(this.#samples.map(sample => sample.bufferedBytes)),
      },
    }
  }

  get totals(): Readonly<{ triggered: number; completed: number; failed: number; restored: number }> {
    return this.#totals
  }

  #entry(checkpointId: number): Entry | undefined {
    return this.#entries.findLast(entry => entry.id === checkpointId)
  }

  #describe({ subtasks, durationMs, ...entry }: Entry, epochMs: number): CheckpointRecord {
    const vertices = this.#graph.vertices.map(({ id, parallelism }) => ({
      vertexId: id,
      parallelism,
      subtasks: Array.from({ length: parallelism }, (_, index) => subtasks.get(`${id}/${index}`)).filter(
        subtask => subtask !== undefined,
      ),
    }))
    return { ...entry, vertices, durationMs: durationMs < 0 ? epochMs - entry.triggeredAt : durationMs }
  }
}

/** All 0 for no values. */
export function summaryOf(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0
  const sum = sorted.reduce((all, value) => all + value, 0)
  return {
    ...{ min: at(0), max: at(1), avg: sorted.length === 0 ? 0 : Math.round(sum / sorted.length) },
    ...{ p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), p999: at(0.999) },
  }
}
