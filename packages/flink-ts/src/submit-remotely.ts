import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClusterClient, clientSettingsOf } from '@flink-ts/client'
import { Configuration, createLogger, SystemClock, SystemRandom, VERSION } from '@flink-ts/common'
import {
  createBundle,
  type ExecutionTarget,
  type JobClient,
  type JobGraph,
  type ReplayableProgram,
} from '@flink-ts/jobgraph'

type RemoteTarget = Extract<ExecutionTarget, { readonly type: 'remote' }>

/**
 * Submits a job of `node job.ts` to a running cluster: bundles the program, as `flink run` does. No connection stays
 * open, so that the process can end while the job goes on; each call of the client makes one of its own.
 */
export async function submitRemotely(
  target: RemoteTarget,
  mainModuleUrl: string,
  graph: JobGraph,
  program: ReplayableProgram,
): Promise<JobClient> {
  const folder = mkdtempSync(join(tmpdir(), 'flink-program-'))
  try {
    const { file } = await createBundle({
      entry: fileURLToPath(mainModuleUrl),
      outFile: join(folder, 'job.tgz'),
    })
    await connected(target, cluster => cluster.submitProgram(file, graph, program))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { jobId } = graph
  return {
    jobId,
    status: () => connected(target, cluster => cluster.jobClient(jobId).status()),
    cancel: () => connected(target, cluster => cluster.jobClient(jobId).cancel()),
    triggerSavepoint: directory =>
      connected(target, cluster => cluster.jobClient(jobId).triggerSavepoint(directory)),
    stopWithSavepoint: (directory, options) =>
      connected(target, cluster => cluster.jobClient(jobId).stopWithSavepoint(directory, options)),
    result: () => connected(target, cluster => cluster.jobClient(jobId).result()),
  }
}

async function connected<T>(
  { address, configuration }: RemoteTarget,
  action: (cluster: ClusterClient) => Promise<T>,
): Promise<T> {
  const settings = clientSettingsOf(Configuration.of(configuration, 'program'))
  const cluster = await ClusterClient.connect(
    { address, version: VERSION, clientName: 'program', ...settings },
    {
      clock: new SystemClock(),
      random: new SystemRandom(),
      logger: createLogger({ level: 'error', file: 2 }),
    },
  )
  try {
    return await action(cluster)
  } finally {
    await cluster.close()
  }
}
