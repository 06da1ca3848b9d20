import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ClusterClient } from '@flink-ts/client'
import { createLogger, SystemClock, SystemRandom, VERSION } from '@flink-ts/common'
import { createBundle, type JobClient, type JobGraph, type ReplayableProgram } from '@flink-ts/jobgraph'

/**
 * Submits a job of `node job.ts` to a running cluster: bundles the program, as `flink run` does. No connection stays
 * open, so that the process can end while the job goes on; each call of the client makes one of its own.
 * @param address `host:port` of the JobManager
 */
export async function submitRemotely(
  address: string,
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
    await connected(address, async cluster => {
      const blobKey = await cluster.uploadBundle(file)
      await cluster.submitJob({ graph, program: { ...program, code: { type: 'bundle', blobKey } } })
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const { jobId } = graph
  return {
    jobId,
    status: () => connected(address, cluster => cluster.jobClient(jobId).status()),
    cancel: () => connected(address, cluster => cluster.jobClient(jobId).cancel()),
    triggerSavepoint: directory =>
      connected(address, cluster => cluster.jobClient(jobId).triggerSavepoint(directory)),
    stopWithSavepoint: (directory, options) =>
      connected(address, cluster => cluster.jobClient(jobId).stopWithSavepoint(directory, options)),
    result: () => connected(address, cluster => cluster.jobClient(jobId).result()),
  }
}

async function connected<T>(address: string, action: (cluster: ClusterClient) => Promise<T>): Promise<T> {
  const cluster = await ClusterClient.connect(
    { address, version: VERSION, clientName: 'program' },
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
