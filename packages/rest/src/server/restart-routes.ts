import { type JobId, newId, type Random } from '@flink-ts/common'
import type { DispatcherGateway, JobRestart } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { InvalidParameter } from '../errors.ts'
import { failureCause } from '../routes/serialized-throwable.ts'
import { jobIdOf } from './job-id.ts'
import { bodyOf, flag, text, triggerIdOf } from './operation-body.ts'

const CLAIM_MODES = ['NO_CLAIM', 'CLAIM', 'LEGACY'] as const

/**
 * Adds the routes that end a job and start it again as a new one of the same program, which Flink has not: from a
 * savepoint that is taken now, from a snapshot, or without state.
 */
export function addRestartRoutes(
  app: FastifyInstance,
  { dispatcher, random }: { readonly dispatcher: DispatcherGateway; readonly random: Random },
): void {
  app.post('/jobs/:jobId/restart', async (request, reply) => {
    const jobId = jobIdOf(request.params)
    const body = bodyOf(request.body)
    const triggerId = triggerIdOf(body, random)
    const restart = { triggerId, newJobId: newId<JobId>(random), from: snapshotOf(body) }
    // Its status tells what becomes of it.
    dispatcher.restartJob(jobId, restart).catch(() => {})
    await dispatcher.requestJobDetails(jobId)
    return await reply.code(202).send({ 'request-id': triggerId })
  })
  app.get('/jobs/:jobId/restart/:triggerId', async request => {
    const { triggerId } = request.params as { triggerId: string }
    const status = await dispatcher.requestSavepointStatus(jobIdOf(request.params), triggerId)
    if (status.type === 'in-progress') return { status: { id: 'IN_PROGRESS' } }
    const operation =
      status.type === 'completed'
        ? { jobid: status.location }
        : { 'failure-cause': failureCause(status.error) }
    return { status: { id: 'COMPLETED' }, operation }
  })
}

/** `savepoint: true`, or `savepointPath` with how it is taken over, or nothing: without state. */
function snapshotOf(body: Readonly<Record<string, unknown>>): JobRestart['from'] {
  const path = text(body, 'savepointPath')
  if (flag(body, 'savepoint')) {
    if (path === undefined) return 'savepoint'
    throw InvalidParameter({
      name: 'savepointPath',
      value: path,
      expected: 'either that or savepoint: true, which takes a new one',
    })
  }
  const mode = text(body, 'claimMode')?.toUpperCase() ?? 'NO_CLAIM'
  if (!CLAIM_MODES.some(known => known === mode))
    throw InvalidParameter({ name: 'claimMode', value: mode, expected: CLAIM_MODES.join(', ') })
  const allowNonRestoredState = flag(body, 'allowNonRestoredState')
  if (path === undefined) return undefined
  return {
    ...{ path, allowNonRestoredState },
    claimMode: mode.toLowerCase().replace('_', '-') as 'no-claim' | 'claim' | 'legacy',
  }
}
