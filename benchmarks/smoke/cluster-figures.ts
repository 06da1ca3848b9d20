import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

/** What a cluster of one JobManager and one TaskManager with two slots costs. */
export interface ClusterFigures {
  /** From calling bin/start-cluster.sh until the slots are registered. */
  readonly startMs: number
  /** From calling `bin/flink run -d` with a prepared bundle until all tasks are RUNNING; the second job of the cluster. */
  readonly submitMs: number
  /** Resident memory of all processes of the idle cluster. */
  readonly idleRssMb: number
}

/** Starts a cluster with ports and folders of its own through the start scripts, measures, and stops it. */
export async function measureCluster(jobFile: string): Promise<ClusterFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'flink-bench-'))
  const restPort = await freePort()
  let rpcPort = await freePort()
  while (rpcPort === restPort) rpcPort = await freePort()
  const environment = {
    ...process.env,
    FLINK_CONF_DIR: join(folder, 'conf'),
    FLINK_LOG_DIR: join(folder, 'log'),
    FLINK_PID_DIR: join(folder, 'pid'),
  }
  for (const name of ['conf', 'log', 'pid', 'tmp']) mkdirSync(join(folder, name))
  writeFileSync(join(folder, 'conf/workers'), 'localhost\n')
  writeFileSync(join(folder, 'conf/masters'), `localhost:${restPort}\n`)
  writeFileSync(
    join(folder, 'conf/flink-conf.yaml'),
    `jobmanager.rpc.address: localhost\njobmanager.rpc.port: ${rpcPort}\nrest.port: ${restPort}\n` +
      `taskmanager.numberOfTaskSlots: 2\nio.tmp.dirs: ${join(folder, 'tmp')}\n`,
  )
  const bin = (name: string, ...args: string[]): void => {
    execFileSync(join(ROOT, 'bin', name), args, { env: environment, stdio: ['ignore', 'pipe', 'inherit'] })
  }
  const bundle = join(folder, 'job.tgz')
  bin('flink', 'bundle', jobFile, '-o', bundle)
  const rest = async <T>(path: string): Promise<T | undefined> => {
    try {
      const response = await fetch(`http://localhost:${restPort}${path}`)
      return response.ok ? ((await response.json()) as T) : undefined
    } catch {
      return undefined // not up yet
    }
  }
  try {
    const startedAt = performance.now()
    const script = run('start-cluster.sh', environment)
    await until(async () => (await rest<{ 'slots-total': number }>('/overview'))?.['slots-total'] === 2)
    const startMs = performance.now() - startedAt
    await script
    await new Promise(resolveAfter => setTimeout(resolveAfter, 2000))
    const idleRssMb = residentMb(join(folder, 'pid'))
    let submitMs = 0
    for (let job = 0; job < 2; job++) {
      const submittedAt = performance.now()
      const client = run('flink', environment, 'run', '-d', bundle)
      let jobId = ''
      // It ends before the tasks run; if it fails, waiting for them is in vain.
      const failure = client.then(() => new Promise<never>(() => {}))
      const running = until(async () => {
        const jobs = await rest<{ jobs: { jid: string; state: string; tasks: Record<string, number> }[] }>(
          '/jobs/overview',
        )
        const job = jobs?.jobs.find(j => j.state === 'RUNNING' && j.tasks.running === j.tasks.total)
        jobId = job?.jid ?? ''
        return job !== undefined
      })
      running.catch(() => {}) // Nobody waits for it any more if the client failed.
      await Promise.race([running, failure])
      submitMs = performance.now() - submittedAt
      await client
      bin('flink', 'cancel', jobId)
      await until(async () => (await rest<{ state: string }>(`/jobs/${jobId}`))?.state === 'CANCELED')
    }
    return { startMs, submitMs, idleRssMb }
  } finally {
    bin('stop-cluster.sh')
    rmSync(folder, { recursive: true, force: true })
  }
}

function run(script: string, env: NodeJS.ProcessEnv, ...args: string[]): Promise<void> {
  const child: ChildProcess = spawn(join(ROOT, 'bin', script), args, { env, stdio: 'ignore' })
  return new Promise((resolveDone, reject) => {
    child.on('error', reject)
    child.on('exit', code => (code === 0 ? resolveDone() : reject(new Error(`${script} ended with ${code}`))))
  })
}

/** Polls every 5 ms, for at most 30 s. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('waited 30 s in vain')
    await new Promise(resolveAfter => setTimeout(resolveAfter, 5))
  }
}

/** Of the processes in the pid files and all that they started: a TaskManager has a supervisor. */
function residentMb(pidFolder: string): number {
  const pids = execFileSync('sh', ['-c', `cat ${pidFolder}/*.pid`], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
  for (const pid of pids) {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    pids.push(...children)
  }
  const kb = pids.map(pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]))
  return kb.reduce((sum, value) => sum + value, 0) / 1024
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolveListening => server.listen(0, '127.0.0.1', resolveListening))
  const address = server.address()
  await new Promise(resolveClosed => server.close(resolveClosed))
  return typeof address === 'object' && address !== null ? address.port : 0
}
