import type { ResourceId } from '@flink-ts/common'
import type {
  DispatcherGateway,
  JobDetails,
  TapAnswer,
  TapRequest,
  TaskSelection,
  VertexDetails,
} from '@flink-ts/gateways'
import { NothingToTap, SubtaskNotFound, TooManyTaps } from '../errors.ts'
import { vertexOf } from '../routes/vertex-routes.ts'
import { jobIdOf } from '../server/job-id.ts'
import {
  fields,
  flag,
  listOf,
  number,
  oneOf,
  orNull,
  type Schema,
  text,
  time,
  type V2Request,
  type V2Route,
  whole,
} from './v2-route.ts'

/** Of the whole cluster at the same time. */
const MOST_TAPS = 8

const COMMON_QUERY: Readonly<Record<string, Schema>> = {
  subtask: { type: 'integer', minimum: 0, description: 'Only this subtask; absent: all.' },
  durationMs: {
    ...{ type: 'integer', minimum: 10, maximum: 30_000, default: 1000 },
    description: 'How long tasks are looked at; the answer comes at the latest then.',
  },
}

const RECORD = fields({
  subtaskIndex: whole,
  sender: { ...text, description: 'The subtask that sent it.' },
  timestamp: { ...orNull(time), description: 'Its event time; null: it has none.' },
  takenAt: time,
  text: { ...text, description: 'As Node.js inspects values; what is long or deep is cut.' },
})

/**
 * Looks at records in flight. Tasks that are not looked at are not touched, and run at full speed again afterwards; of a
 * task that is, each record takes another way for the time of the look.
 */
export function tapRoutes({ dispatcher }: { readonly dispatcher: DispatcherGateway }): readonly V2Route[] {
  let taps = 0
  const look = async (
    job: JobDetails,
    vertices: readonly VertexDetails[],
    query: { readonly subtask?: number },
    tap: TapRequest,
  ): Promise<readonly { readonly vertex: VertexDetails; readonly answer: TapAnswer }[]> => {
    if (taps >= MOST_TAPS) throw TooManyTaps({ limit: MOST_TAPS })
    taps++
    try {
      const looks = vertices.flatMap(vertex =>
        processesOf(vertex, query.subtask).map(async process => {
          const { jobId } = job
          const selection: TaskSelection = { jobId, vertexId: vertex.id, subtaskIndex: query.subtask }
          const answers = await dispatcher.inspectTaskManager(process, {
            type: 'tap-tasks',
            ...selection,
            tap,
          })
          return (answers as readonly TapAnswer[]).map(answer => ({ vertex, answer }))
        }),
      )
      return (await Promise.all(looks)).flat()
    } finally {
      taps--
    }
  }
  return [
    {
      method: 'GET',
      path: '/jobs/:jobId/vertices/:vertexId/tap',
      summary: 'Looks at records that come into a vertex or leave it, for a moment.',
      query: {
        ...COMMON_QUERY,
        side: {
          ...{ ...oneOf('input', 'output'), default: 'output' },
          description: 'output: what the vertex sends to others; subtask is that of the receiver then.',
        },
        limit: {
          ...{ type: 'integer', minimum: 1, maximum: 1000, default: 20 },
          description: 'Records at most; of busy tasks they are spread over the time.',
        },
        limitBytes: {
          ...{ type: 'integer', minimum: 100, maximum: 262_144, default: 65_536 },
          description: 'Bytes of text at most.',
        },
      },
      answer: fields({
        seen: { ...whole, description: 'Records that passed while tasks were looked at.' },
        tasks: whole,
        records: listOf(RECORD),
      }),
      handle: async request => {
        const { job, vertex } = await findVertex(dispatcher, request)
        const { side, limit, limitBytes, durationMs } = request.query
        const targets =
          side === 'input' ? [vertex] : job.vertices.filter(({ id }) => receives(job, vertex.id, id))
        const hasInput = job.graph.edges.some(({ target }) => target === vertex.id)
        if (side === 'input' ? !hasInput : targets.length === 0)
          throw NothingToTap({ vertex: vertex.name, side })
        checkSubtask(targets, request)
        const tasks = targets.reduce((all, { parallelism }) => all + parallelism, 0)
        const share = request.query.subtask === undefined ? tasks : targets.length
        const answers = await look(job, targets, request.query, {
          ...{ what: 'records', durationMs, limitBytes: Math.max(100, Math.ceil(limitBytes / share)) },
          limit: Math.max(1, Math.ceil(limit / share)),
          from: side === 'output' ? vertex.id : undefined,
        })
        return {
          seen: answers.reduce((sum, { answer }) => sum + answer.seen, 0),
          tasks: answers.length,
          records: answers
            .flatMap(({ answer }) => answer.records)
            .sort((a, b) => a.takenAt - b.takenAt)
            .slice(0, limit),
        }
      },
    },
    {
      method: 'GET',
      path: '/jobs/:jobId/vertices/:vertexId/keys',
      summary: 'Counts how records are spread over keys and key groups, for a moment.',
      query: {
        ...COMMON_QUERY,
        limit: {
          ...{ type: 'integer', minimum: 1, maximum: 100, default: 20 },
          description: 'Keys at most, the most frequent first.',
        },
      },
      answer: fields({
        keyed: { ...flag, description: 'false: the records of this vertex have no keys, or none came.' },
        seen: whole,
        tasks: whole,
        maxParallelism: whole,
        keys: listOf(
          fields({
            ...{ key: text, keyGroup: whole, subtaskIndex: whole, count: whole },
            share: { ...number, description: 'Of all records that were seen: 0 to 1.' },
          }),
        ),
        keyGroups: listOf(fields({ keyGroup: whole, subtaskIndex: whole, count: whole })),
        subtasks: listOf(fields({ subtaskIndex: whole, count: whole, share: number })),
      }),
      handle: async request => {
        const { job, vertex } = await findVertex(dispatcher, request)
        checkSubtask([vertex], request)
        const { limit, durationMs } = request.query
        const tap = { what: 'keys', durationMs, limit, limitBytes: 0 } as const
        return keyView(await look(job, [vertex], request.query, tap), vertex, limit)
      },
    },
  ]
}

function keyView(
  answers: readonly { readonly answer: TapAnswer }[],
  { maxParallelism }: VertexDetails,
  limit: number,
): object {
  const keyed = answers.flatMap(({ answer: { keys, ...answer } }) => (keys ? [{ ...answer, keys }] : []))
  const countOf = ({ keys }: (typeof keyed)[number]): number =>
    keys.groups.reduce((sum, [, count]) => sum + count, 0)
  const all = Math.max(
    1,
    keyed.reduce((sum, answer) => sum + countOf(answer), 0),
  )
  return {
    keyed: keyed.length > 0,
    seen: answers.reduce((sum, { answer }) => sum + answer.seen, 0),
    tasks: answers.length,
    maxParallelism,
    keys: keyed
      .flatMap(({ subtaskIndex, keys }) =>
        keys.most.map(key => ({ ...key, subtaskIndex, share: key.count / all })),
      )
      .sort((a, b) => b.count - a.count)
      .slice(0, limit),
    keyGroups: keyed
      .flatMap(({ subtaskIndex, keys }) =>
        keys.groups.map(([keyGroup, count]) => ({ keyGroup, subtaskIndex, count })),
      )
      .sort((a, b) => a.keyGroup - b.keyGroup),
    subtasks: keyed
      .map(answer => ({
        ...{ subtaskIndex: answer.subtaskIndex, count: countOf(answer) },
        share: countOf(answer) / all,
      }))
      .sort((a, b) => a.subtaskIndex - b.subtaskIndex),
  }
}

/** The vertex of a path. Throws `rest.vertex-not-found`, `rest.invalid-parameter` and what the Dispatcher throws. */
export async function findVertex(
  dispatcher: Pick<DispatcherGateway, 'requestJobDetails'>,
  { params }: V2Request,
): Promise<{ readonly job: JobDetails; readonly vertex: VertexDetails }> {
  const job = await dispatcher.requestJobDetails(jobIdOf(params))
  return { job, vertex: vertexOf(job, params['vertexId'] as string) }
}

function checkSubtask(vertices: readonly VertexDetails[], { query, params }: V2Request): void {
  const { subtask } = query as { subtask?: number }
  const parallelism = Math.max(...vertices.map(vertex => vertex.parallelism))
  if (subtask === undefined || subtask < parallelism) return
  const vertexId = params['vertexId'] as string
  throw SubtaskNotFound({ vertexId, subtask: String(subtask), attempt: undefined, parallelism })
}

function receives({ graph }: JobDetails, from: string, to: string): boolean {
  return graph.edges.some(({ source, target }) => source === from && target === to)
}

function processesOf({ subtasks }: VertexDetails, subtask: number | undefined): readonly ResourceId[] {
  const running = subtasks.filter(({ status, index }) => status === 'RUNNING' && (subtask ?? index) === index)
  const ids = running.flatMap(({ taskManagerId }) => (taskManagerId === undefined ? [] : [taskManagerId]))
  return [...new Set(ids)] as ResourceId[]
}
