// Prints how long a job stands still after kill -9 of one of its TaskManagers when a free slot is at hand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TestCluster } from '../../e2e/harness/test-cluster.ts'

const ROUNDS = 5
const JOB = join(import.meta.dirname, 'endless-job.ts')

/** Milliseconds after the kill. */
interface Failover {
  /** The JobMaster has lost the TaskManager. */
  readonly noticedMs: number
  readonly restartingMs: number
  /** Cancelled and waited: the new tasks are being deployed. */
  readonly deployingMs: number
  readonly runningMs: number
}

interface JobOverview {
  readonly jobs: readonly {
    readonly jid: string
    readonly state: string
    readonly tasks: Readonly<Record<string, number>>
  }[]
}

async function measureFailover(restartDelayMs: number): Promise<Failover> {
  const cluster = await TestCluster.start({
    taskManagers: 3,
    slots: 1,
    configuration: {
      'restart-strategy.fixed-delay.delay': `${restartDelayMs} ms`,
      'execution.checkpointing.interval': '200 ms',
    },
  })
  try {
    const client = cluster.flink('run', '-d', '-p', '2', JOB)
    await client.finished
    const allRunning = async (): Promise<boolean> => {
      const overview = await cluster.rest<JobOverview>('/jobs/overview')
      return (
        overview?.jobs.some(job => job.state === 'RUNNING' && job.tasks['running'] === job.tasks['total']) ===
        true
      )
    }
    await cluster.until('the job to run', 20_000, allRunning)
    await cluster.until('a checkpoint', 20_000, async () => {
      const [job] = (await cluster.rest<JobOverview>('/jobs/overview'))?.jobs ?? []
      const checkpoints = await cluster.rest<{ counts: { completed: number } }>(
        `/jobs/${job?.jid}/checkpoints`,
      )
      return (checkpoints?.counts.completed ?? 0) >= 2
    })
    const busy = cluster.taskManagers.findIndex((_, i) =>
      readFileSync(join(cluster.folder, `taskmanager-${i}.log`), 'utf8').includes('tasks accepted'),
    )
    const killedAt = Date.now()
    const killed = cluster.killTaskManager(busy)
    const eventsOf = () => eventsSince(join(cluster.folder, 'jobmanager.log'), killedAt)
    await cluster.until('the restart', 20_000, async () => eventsOf().some(({ to }) => to === 'RUNNING'))
    while (!(await allRunning())) await new Promise(resolve => setTimeout(resolve, 2))
    const runningMs = Date.now() - killedAt
    await killed
    const events = eventsOf()
    const after = (matches: (event: LogEvent) => boolean): number =>
      (events.find(matches)?.time ?? Number.NaN) - killedAt
    return {
      noticedMs: after(({ msg }) => msg === 'TaskManager lost'),
      restartingMs: after(({ to }) => to === 'RESTARTING'),
      deployingMs: after(({ to }) => to === 'RUNNING'),
      runningMs,
    }
  } finally {
    await cluster.stop()
  }
}

interface LogEvent {
  readonly time: number
  readonly msg: string
  readonly to: string | undefined
}

function eventsSince(file: string, since: number): readonly LogEvent[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.startsWith('{') && line.endsWith('}'))
    .map(line => JSON.parse(line) as { time: string; msg: string; to?: string; state?: string })
    .map(({ time, msg, to, state }) => ({ time: Date.parse(time), msg, to: to ?? state }))
    .filter(({ time }) => time >= since)
}

for (const restartDelayMs of [0, 100]) {
  const rounds: Failover[] = []
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measureFailover(restartDelayMs))
  const median = (of: (failover: Failover) => number): number =>
    rounds.map(of).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] as number
  console.log(
    `restart delay ${restartDelayMs} ms, medians of ${ROUNDS}, ms after the kill: ` +
      `noticed ${median(f => f.noticedMs)}, RESTARTING ${median(f => f.restartingMs)}, ` +
      `deploying ${median(f => f.deployingMs)}, all RUNNING ${median(f => f.runningMs)} ` +
      `(most: ${Math.max(...rounds.map(f => f.runningMs))})`,
  )
}
