import { ClusterClient } from '@flink-ts/client'
import {
  Configuration,
  type JobId,
  nullLogger,
  SystemClock,
  SystemRandom,
  serializeError,
  VERSION,
} from '@flink-ts/common'
import { configureFileSystems } from '@flink-ts/filesystem'
import { jobManagerAccess } from '@flink-ts/highavailability'
import { type JobClient, type JobGraph, PlannedProgram, type ReplayableProgram } from '@flink-ts/jobgraph'
import { sessionSettingsOf } from '@flink-ts/rpc'
import type { ProgramAnswer, ProgramRequest } from '../programs/program-protocol.ts'

// The process that runs the main of an uploaded program up to its first execute, and submits that job.

process.once('message', (request: ProgramRequest) => {
  answer(request).catch((error: unknown) => end({ type: 'failed', error: serializeError(error) }))
})
// The JobManager is gone: nobody waits for an answer.
process.once('disconnect', () => process.exit(1))

async function answer(request: ProgramRequest): Promise<void> {
  const configuration = Configuration.of(request.configuration)
  configureFileSystems(configuration)
  const program = new PlannedProgram({ job: request.bundleFile, args: request.args, configuration })
  await program.evaluate(async (bundleFile, planned, replayable): Promise<JobClient> => {
    const graph = request.jobId === undefined ? planned : { ...planned, jobId: request.jobId as JobId }
    if (request.type === 'plan') return await end({ type: 'planned', graph })
    const jobId = await submit(request, configuration, bundleFile, graph, replayable)
    return await end({ type: 'submitted', jobId })
  })
}

async function submit(
  request: ProgramRequest,
  configuration: Configuration,
  bundleFile: string,
  graph: JobGraph,
  replayable: ReplayableProgram,
): Promise<string> {
  const { address, elected, through } = jobManagerAccess(configuration)
  const client = await ClusterClient.connect(
    {
      address: elected ? address : request.jobManagerAddress,
      version: VERSION,
      clientName: 'rest',
      sessionSettings: sessionSettingsOf(configuration),
    },
    { clock: new SystemClock(), random: new SystemRandom(), logger: nullLogger, through },
  )
  const { jobId } = await client.submitProgram(bundleFile, graph, replayable)
  await client.close()
  return jobId
}

/** Code behind execute expects a result, which nobody waits for here: it does not run. */
function end(message: ProgramAnswer): Promise<never> {
  process.send?.(message, () => process.exit(0))
  return new Promise(() => {})
}
