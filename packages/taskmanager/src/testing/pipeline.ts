import { assignOperatorState, type OperatorState, type TaskStateSnapshot } from '@flink-ts/state'
import { type HarnessSpec, type OperatorSpec, SlotHarness } from './slot-harness.ts'
import { RecordingOperator } from './test-operators.ts'

export type Partitioning = NonNullable<HarnessSpec['edges'][number]['partitioning']>

export interface Record {
  readonly source: number
  readonly n: number
}

/** Emits `limit` records in each subtask; its position is in its state. */
function source(limit: number, control: { paused: boolean }): OperatorSpec {
  return {
    name: 'source',
    create: context => {
      const state = context.operatorState.listState<number>('position')
      let position = state.get()[0] ?? 0
      return {
        source: {
          emit: max => {
            if (position >= limit) return 'end'
            for (let i = 0; i < Math.min(max, 7) && position < limit && !control.paused; i++) {
              context.timestamp[0] = position
              context.out({ source: context.subtaskIndex, n: position++ })
            }
            setImmediate(() => context.wake())
            return 'wait'
          },
        },
        snapshotState: () => state.update([position]),
      }
    },
  }
}

const keyOf = (record: never): unknown => (record as Record).n % 13

/** Numbers of subtasks, and the edges between them; `capacity` undefined: direct. */
export interface Topology {
  readonly sources: number
  readonly middles: number
  readonly sinks: number
  readonly first: { readonly partitioning: Partitioning; readonly capacity: number | undefined }
  readonly second: { readonly partitioning: Partitioning; readonly capacity: number | undefined }
}

/** Records of each source subtask. */
export const LIMIT = 150

/** For tests: source -> middle -> sink; all subtasks of an operator share their recorder's list of instances. */
export class Pipeline {
  readonly harness: SlotHarness
  readonly middles: RecordingOperator[] = []
  readonly sinks: RecordingOperator[] = []
  readonly control = { paused: false }

  /** @param rest `blocked`: sinks take nothing from their first moment */
  constructor(
    topology: Topology,
    {
      blocked = false,
      ...rest
    }: Pick<HarnessSpec, 'restore' | 'checkpoints' | 'unaligned'> & { blocked?: boolean },
  ) {
    const recording = (name: string, into: RecordingOperator[]): OperatorSpec => ({
      name,
      create: context => {
        const recorder = new RecordingOperator(name)
        into[context.subtaskIndex] = recorder
        const operator = recorder.spec.create(context)
        if (blocked && name === 'sink') context.setAvailable(false)
        return operator
      },
    })
    const edge = (from: string, to: string, { partitioning, capacity }: Topology['first']) => ({
      ...{ from, to, partitioning, keySelector: keyOf },
      channel: capacity === undefined ? ('direct' as const) : { capacity },
    })
    this.harness = new SlotHarness({
      vertices: [
        { name: 'source', parallelism: topology.sources, operators: [source(LIMIT, this.control)] },
        { name: 'middle', parallelism: topology.middles, operators: [recording('middle', this.middles)] },
        { name: 'sink', parallelism: topology.sinks, operators: [recording('sink', this.sinks)] },
      ],
      edges: [edge('source', 'middle', topology.first), edge('middle', 'sink', topology.second)],
      ...rest,
    }).start()
  }

  trigger(checkpointId: number): void {
    this.harness.trigger(checkpointId, 'source', 'middle', 'sink')
  }

  /** @param order in which the operators are triggered, with `gap` turns of the event loop in between */
  async checkpoint(
    checkpointId: number,
    order: readonly string[] = ['source', 'middle', 'sink'],
    gap = 0,
  ): Promise<Map<string, TaskStateSnapshot>> {
    for (const name of order) {
      this.harness.trigger(checkpointId, name)
      if (gap > 0) await this.harness.turns(gap)
    }
    await this.harness.until(
      () => this.acknowledged(checkpointId).length === this.harness.tasks.size,
      `checkpoint ${checkpointId}; declined: ${JSON.stringify(this.harness.declined.map(d => d.reason.message))}`,
    )
    return new Map(this.acknowledged(checkpointId).map(({ task, state }) => [task, state]))
  }

  acknowledged(checkpointId: number) {
    return this.harness.acknowledged.filter(ack => ack.checkpointId === checkpointId)
  }

  async finish(): Promise<void> {
    await this.harness.until(
      () => [...this.harness.tasks.keys()].every(id => this.harness.status(...split(id)) === 'FINISHED'),
      'the end',
    )
  }
}

const split = (id: string): [string, number] => {
  const [name, subtask] = id.split('/') as [string, string]
  return [name, Number(subtask)]
}

/** What the tasks of `to` start from, as the JobManager assigns it. */
export function assign(snapshots: Map<string, TaskStateSnapshot>, to: Topology): HarnessSpec['restore'] {
  const parallelism = { source: to.sources, middle: to.middles, sink: to.sinks }
  const restore: { [task: string]: TaskStateSnapshot } = {}
  for (const [vertex, count] of Object.entries(parallelism)) {
    const old = [...snapshots].filter(([id]) => split(id)[0] === vertex)
    const ids = old[0]?.[1].operators.map(({ operatorId }) => operatorId) ?? []
    for (let i = 0; i < count; i++) {
      const operators = ids.map((operatorId, at) => {
        const state: OperatorState = {
          ...{ operatorId, parallelism: old.length, maxParallelism: 128 },
          subtasks: old.map(([id, { operators }]) => ({ index: split(id)[1], state: operators[at]! })),
        }
        return assignOperatorState(state, operatorId, count, 128, i)
      })
      restore[`${vertex}/${i}`] = { operators }
    }
  }
  return restore
}

/** What sinks have to see, as `source:n`, sorted. */
export const everything = (sources: number): string[] =>
  Array.from({ length: sources }, (_, s) => Array.from({ length: LIMIT }, (_, n) => `${s}:${n}`))
    .flat()
    .sort()
/** What operators have seen, in that form. */
export const seen = (operators: readonly RecordingOperator[]): string[] =>
  operators.flatMap(({ records }) => (records as Record[]).map(({ source: s, n }) => `${s}:${n}`)).sort()

/** Has operators take nothing, or something again. */
export const block = (operators: readonly RecordingOperator[], blocked: boolean): void => {
  for (const operator of operators) operator.context?.setAvailable(!blocked)
}
