import type { CheckpointRecord, DispatcherGateway } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { CheckpointNotKnown } from '../errors.ts'
import {
  checkpointConfig,
  checkpointInfo,
  checkpointSubtasks,
  jobCheckpoints,
} from '../routes/checkpoint-routes.ts'
import { jobIdOf } from './job-id.ts'

/** Adds the routes that show checkpoints and their settings. */
export function addCheckpointRoutes(
  app: FastifyInstance,
  { dispatcher }: { dispatcher: DispatcherGateway },
): void {
  const recordOf = async (params: unknown): Promise<CheckpointRecord> => {
    const jobId = jobIdOf(params)
    const { checkpointId } = params as { checkpointId: string }
    const { history, latest } = await dispatcher.requestCheckpoints(jobId)
    const known = [...history, latest.completed, latest.savepoint, latest.failed]
    const record = known.find(candidate => candidate !== undefined && String(candidate.id) === checkpointId)
    if (record === undefined) throw CheckpointNotKnown({ jobId, checkpointId })
    return record
  }
  app.get('/jobs/:jobId/checkpoints', async request =>
    jobCheckpoints(await dispatcher.requestCheckpoints(jobIdOf(request.params))),
  )
  app.get('/jobs/:jobId/checkpoints/config', async request =>
    checkpointConfig(await dispatcher.requestJobDetails(jobIdOf(request.params))),
  )
  app.get('/jobs/:jobId/checkpoints/details/:checkpointId', async request =>
    checkpointInfo(await recordOf(request.params)),
  )
  app.get('/jobs/:jobId/checkpoints/details/:checkpointId/subtasks/:vertexId', async request => {
    const record = await recordOf(request.params)
    const { jobId, vertexId } = request.params as { jobId: string; vertexId: string }
    const answer = checkpointSubtasks(record, vertexId)
    if (answer === undefined)
      throw CheckpointNotKnown({ jobId, checkpointId: `${record.id} of vertex ${vertexId}` })
    return answer
  })
}
