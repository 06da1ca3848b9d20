import type { JobGraph, JobOperator, JobVertex } from '@flink-ts/jobgraph'
import type { CheckpointMetadata, OperatorState } from '@flink-ts/state'

/** What becomes of the state of one operator, in words for people and programs. */
export interface MappedOperator {
  /** `restored`: taken over. `dropped`: nobody takes it. `refused`: it does not fit. `new`: starts without state. */
  readonly outcome: 'restored' | 'dropped' | 'refused' | 'new'
  readonly operatorId: string
  /** As the snapshot names it; undefined: it is not in there. */
  readonly snapshot: NamedOperator | undefined
  /** As the program names it; undefined: the program does not have it. */
  readonly job: NamedOperator | undefined
  /** What to know or to change; empty: nothing. */
  readonly advice: string
}

/** An operator as people know it. */
export interface NamedOperator {
  readonly name: string
  readonly uid: string | undefined
  readonly parallelism: number
}

/**
 * What a start of the job from the snapshot would do with each state: by state id, as the JobManager does. Operators of
 * the snapshot first, without those that have no state; then those of the job that get none.
 */
export function mapSnapshot(graph: JobGraph, metadata: CheckpointMetadata): readonly MappedOperator[] {
  const inJob = new Map(
    graph.vertices.flatMap(vertex =>
      vertex.operators.map(operator => [operator.operatorId as string, { vertex, operator }]),
    ),
  )
  const withState = metadata.operators.filter(hasState)
  const ids = new Set(withState.map(({ operatorId }) => operatorId as string))
  const stateless = [...inJob].filter(([id]) => !ids.has(id)).map(([, found]) => found)
  const mapped = withState.map((state): MappedOperator => {
    const { operatorId, name = operatorId, uid, parallelism } = state
    const found = inJob.get(operatorId)
    const head = { operatorId, snapshot: { name, uid, parallelism } }
    if (found === undefined)
      return { ...head, outcome: 'dropped', job: undefined, advice: adviceFor(name, uid, stateless) }
    const job = namedOf(found)
    const keyed = state.subtasks.some(subtask => subtask.state.keyed.length > 0)
    const { maxParallelism } = found.vertex
    if (keyed && maxParallelism !== state.maxParallelism) {
      const advice = `it has ${state.maxParallelism} key groups, the job ${maxParallelism}: setMaxParallelism(${state.maxParallelism})`
      return { ...head, outcome: 'refused', job, advice }
    }
    return { ...head, outcome: 'restored', job, advice: '' }
  })
  const fresh = stateless.map(
    (found): MappedOperator => ({
      ...{ outcome: 'new', operatorId: found.operator.operatorId, snapshot: undefined },
      ...{ job: namedOf(found), advice: '' },
    }),
  )
  return [...mapped, ...fresh]
}

function namedOf({ vertex, operator }: { vertex: JobVertex; operator: JobOperator }): NamedOperator {
  return { name: operator.name, uid: operator.uid, parallelism: vertex.parallelism }
}

/** How an operator that has another id now would get the state. */
function adviceFor(
  name: string,
  uid: string | undefined,
  candidates: readonly { readonly operator: JobOperator }[],
): string {
  const [same, ...others] = candidates.filter(({ operator }) => operator.name === name)
  if (uid !== undefined) {
    return same === undefined || others.length > 0
      ? `give the operator that is to take it .uid('${uid}')`
      : `the job's '${name}' has ${same.operator.uid === undefined ? 'no uid' : `uid '${same.operator.uid}'`}: give it .uid('${uid}')`
  }
  return 'it had no uid: its id came from its name or its place; restore name and place, or drop it with -n'
}

function hasState({ coordinator, subtasks }: OperatorState): boolean {
  if (coordinator !== undefined) return true
  return subtasks.some(
    ({ state }) => state.keyed.length > 0 || state.operator.length > 0 || (state.inputs ?? []).length > 0,
  )
}
