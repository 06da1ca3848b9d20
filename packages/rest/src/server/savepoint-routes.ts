import { type Clock, type JobId, type Random, type SerializedError, serializeError } from '@flink-ts/common'
import type { DispatcherGateway, SavepointTrigger } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { InvalidParameter, TriggerNotFound } from '../errors.ts'
import { failureCause } from '../routes/serialized-throwable.ts'
import { jobIdOf } from './job-id.ts'
import { bodyOf, flag, text, triggerIdOf } from './operation-body.ts'

/** How long the outcome of a disposal is remembered. */
const STORE_DURATION_MS = 300_000

/** Disposals of savepoints by their trigger id. Shared by all prefixes of the paths. */
export type Disposals = Map<string, Operation>

type Operation =
  | { readonly type: 'in-progress' }
  | { readonly type: 'completed' }
  | { readonly type: 'failed'; readonly error: SerializedError }

/** Adds the routes that take, watch and remove savepoints. All start something and answer an id to ask with. */
export function addSavepointRoutes(
  app: FastifyInstance,
  { dispatcher, clock, random }: { dispatcher: DispatcherGateway; clock: Clock; random: Random },
  disposals: Disposals,
): void {
  const start = async (jobId: JobId, trigger: SavepointTrigger): Promise<object> => {
    // Its status tells what becomes of it.
    dispatcher.triggerSavepoint(jobId, trigger).catch(() => {})
    // No such job, or nothing that could run: said at once.
    await dispatcher.requestJobDetails(jobId)
    return { 'request-id': trigger.triggerId }
  }
  /** @param directoryField what Flink calls the folder in bodies of this route */
  const startByBody = (
    request: { readonly params: unknown; readonly body: unknown },
    directoryField: string,
    stopOf: (body: ReturnType<typeof bodyOf>) => SavepointTrigger['stop'],
  ): Promise<unknown> => {
    const jobId = jobIdOf(request.params)
    const body = bodyOf(request.body)
    checkFormat(body)
    const [triggerId, directory] = [triggerIdOf(body, random), text(body, directoryField)]
    return start(jobId, { triggerId, directory, stop: stopOf(body) })
  }
  app.post('/jobs/:jobId/savepoints', async (request, reply) => {
    const started = startByBody(request, 'target-directory', body =>
      flag(body, 'cancel-job') ? 'cancel' : 'no',
    )
    return await reply.code(202).send(await started)
  })
  app.post('/jobs/:jobId/stop', async (request, reply) => {
    const started = startByBody(request, 'targetDirectory', body =>
      flag(body, 'drain') ? 'drain' : 'suspend',
    )
    return await reply.code(202).send(await started)
  })
  app.post('/jobs/:jobId/checkpoints', async (request, reply) => {
    const jobId = jobIdOf(request.params)
    const body = bodyOf(request.body)
    const type = text(body, 'checkpointType') ?? 'CONFIGURED'
    // How much is written is the job's setting: a full one by hand is a savepoint.
    if (!['CONFIGURED', 'INCREMENTAL'].includes(type.toUpperCase()))
      throw InvalidParameter({
        name: 'checkpointType',
        value: type,
        expected: 'CONFIGURED (FULL: take a savepoint)',
      })
    const triggerId = triggerIdOf(body, random)
    dispatcher.triggerCheckpoint(jobId, triggerId).catch(() => {}) // Its status tells what becomes of it.
    await dispatcher.requestJobDetails(jobId)
    return await reply.code(202).send({ 'request-id': triggerId })
  })
  app.get('/jobs/:jobId/checkpoints/:triggerId', async request => {
    const { triggerId } = request.params as { triggerId: string }
    const status = await dispatcher.requestSavepointStatus(jobIdOf(request.params), triggerId)
    if (status.type === 'in-progress') return { status: { id: 'IN_PROGRESS' } }
    const operation =
      status.type === 'completed'
        ? { checkpointId: Number(status.location) }
        : { failureCause: failureCause(status.error) }
    return { status: { id: 'COMPLETED' }, operation }
  })
  app.get('/jobs/:jobId/savepoints/:triggerId', async request => {
    const { triggerId } = request.params as { triggerId: string }
    const status = await dispatcher.requestSavepointStatus(jobIdOf(request.params), triggerId)
    if (status.type === 'in-progress') return { status: { id: 'IN_PROGRESS' } }
    const operation =
      status.type === 'completed'
        ? { location: status.location }
        : { 'failure-cause': failureCause(status.error) }
    return { status: { id: 'COMPLETED' }, operation }
  })

  app.post('/savepoint-disposal', async request => {
    const body = bodyOf(request.body)
    const path = text(body, 'savepoint-path')
    if (path === undefined) {
      throw InvalidParameter({ name: 'savepoint-path', value: '', expected: 'the path of a savepoint' })
    }
    const id = triggerIdOf(body, random)
    if (disposals.has(id)) return { 'request-id': id }
    disposals.set(id, { type: 'in-progress' })
    const ended = (outcome: Operation): void => {
      disposals.set(id, outcome)
      clock.schedule(STORE_DURATION_MS, () => disposals.delete(id), { unref: true })
    }
    dispatcher.disposeSavepoint(path).then(
      () => ended({ type: 'completed' }),
      (error: unknown) => ended({ type: 'failed', error: serializeError(error) }),
    )
    return { 'request-id': id }
  })
  app.get('/savepoint-disposal/:triggerId', async request => {
    const { triggerId } = request.params as { triggerId: string }
    const operation = disposals.get(triggerId)
    if (operation === undefined) throw TriggerNotFound({ triggerId })
    if (operation.type === 'in-progress') return { status: { id: 'IN_PROGRESS' } }
    const outcome = operation.type === 'failed' ? { 'failure-cause': failureCause(operation.error) } : {}
    return { status: { id: 'COMPLETED' }, operation: outcome }
  })
}

/** There is one format, which fits every backend: both names stand for it. */
function checkFormat(body: Readonly<Record<string, unknown>>): void {
  const format = text(body, 'formatType') ?? 'CANONICAL'
  if (!['CANONICAL', 'NATIVE'].includes(format.toUpperCase()))
    throw InvalidParameter({ name: 'formatType', value: format, expected: 'CANONICAL or NATIVE' })
}
