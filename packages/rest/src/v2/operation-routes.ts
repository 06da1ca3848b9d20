import { type Clock, newId, type Random, type SerializedError, serializeError } from '@flink-ts/common'
import type { DispatcherGateway } from '@flink-ts/gateways'
import { OperationNotFound } from '../errors.ts'
import { jobIdOf } from '../server/job-id.ts'
import {
  fields,
  oneOf,
  orNull,
  PAGE_QUERY,
  pageFrom,
  pageOf,
  type Schema,
  text,
  time,
  type V2Request,
  type V2Route,
} from './v2-route.ts'

type OperationType = 'savepoint' | 'stop' | 'checkpoint' | 'cancel'

interface Operation {
  readonly id: string
  readonly type: OperationType
  readonly jobId: string
  readonly startedAt: number
  status: 'running' | 'completed' | 'failed'
  endedAt: number | null
  result: string | null
  error: { readonly code: string; readonly message: string } | null
}

/** Those that are over, remembered at most; those that run are always. */
const MOST_OVER = 500

const OPERATION: Schema = fields({
  id: text,
  type: oneOf('savepoint', 'stop', 'checkpoint', 'cancel'),
  jobId: text,
  status: oneOf('running', 'completed', 'failed'),
  startedAt: time,
  endedAt: orNull(time),
  result: { ...orNull(text), description: 'URI of the savepoint, or id of the checkpoint.' },
  error: orNull(fields({ code: text, message: text })),
})

/**
 * What takes time is started by one request and watched by others, from whatever client: it goes on without any. Owner:
 * the REST server.
 */
export function operationRoutes(dependencies: {
  readonly dispatcher: DispatcherGateway
  readonly clock: Clock
  readonly random: Random
}): readonly V2Route[] {
  const { dispatcher, clock, random } = dependencies
  const operations = new Map<string, Operation>()
  const start = async (
    { params }: V2Request,
    type: OperationType,
    run: (id: string) => Promise<string | null>,
  ): Promise<Operation> => {
    const jobId = jobIdOf(params)
    // No such job: said at once.
    await dispatcher.requestJobDetails(jobId)
    const id = newId<string>(random)
    const operation: Operation = {
      ...{ id, type, jobId, startedAt: clock.now(), status: 'running' },
      ...{ endedAt: null, result: null, error: null },
    }
    operations.set(id, operation)
    forget()
    run(id).then(
      result => Object.assign(operation, { status: 'completed', endedAt: clock.now(), result }),
      (error: unknown) => {
        const { code = 'unknown', message } = serializeError(error) as SerializedError & { code?: string }
        Object.assign(operation, { status: 'failed', endedAt: clock.now(), error: { code, message } })
      },
    )
    return operation
  }
  const forget = (): void => {
    const over = [...operations.values()].filter(({ status }) => status !== 'running')
    for (const { id } of over.slice(0, Math.max(0, over.length - MOST_OVER))) operations.delete(id)
  }
  const savepoint = (type: 'savepoint' | 'stop') => (request: V2Request) =>
    start(request, type, triggerId => {
      const { directory, drain } = (request.body ?? {}) as { directory?: string; drain?: boolean }
      const stop = type === 'savepoint' ? 'no' : drain === true ? 'drain' : 'suspend'
      return dispatcher.triggerSavepoint(jobIdOf(request.params), { triggerId, directory, stop })
    })
  const directory: Schema = {
    ...text,
    description: 'Path or URI; absent: execution.checkpointing.savepoint-dir.',
  }
  const started = { method: 'POST', status: 202, answer: OPERATION } as const
  return [
    {
      ...started,
      path: '/jobs/:jobId/savepoints',
      summary: 'Takes a savepoint.',
      body: fields({ 'directory?': directory }),
      handle: savepoint('savepoint'),
    },
    {
      ...started,
      path: '/jobs/:jobId/stop',
      summary: 'Takes a savepoint and ends the job with it.',
      body: fields({
        'directory?': directory,
        'drain?': { type: 'boolean', description: 'The input ends first: windows and timers fire.' },
      }),
      handle: savepoint('stop'),
    },
    {
      ...started,
      path: '/jobs/:jobId/checkpoints',
      summary: 'Takes a checkpoint now.',
      handle: request =>
        start(request, 'checkpoint', id => dispatcher.triggerCheckpoint(jobIdOf(request.params), id)),
    },
    {
      ...started,
      path: '/jobs/:jobId/cancel',
      summary: 'Cancels the job, without a savepoint. Over when the job is.',
      handle: request =>
        start(request, 'cancel', async () => {
          const jobId = jobIdOf(request.params)
          await dispatcher.cancelJob(jobId)
          await dispatcher.requestJobResult(jobId)
          return null
        }),
    },
    {
      method: 'GET',
      path: '/operations',
      summary: 'Lists operations, the latest first: those that run, and those that ended lately.',
      query: { ...PAGE_QUERY, jobId: { ...text, description: 'Only of this job.' } },
      answer: pageOf(OPERATION),
      handle: async ({ query }) => {
        const wanted = [...operations.values()].filter(({ jobId }) => (query.jobId ?? jobId) === jobId)
        return pageFrom(wanted.reverse(), ({ id }) => id, query)
      },
    },
    {
      method: 'GET',
      path: '/operations/:operationId',
      summary: 'Tells how far an operation is.',
      answer: OPERATION,
      handle: async ({ params }) => {
        const id = params['operationId'] as string
        const operation = operations.get(id)
        if (operation === undefined) throw OperationNotFound({ id })
        return operation
      },
    },
  ]
}
