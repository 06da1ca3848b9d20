import { type Limit, limitOf } from './limit.ts'
import { MeasuredCluster } from './measured-cluster.ts'

/** How long a job with a million keys stands still: after kill -9 of a TaskManager, and while it changes its parallelism. */
export async function recoveryLimits(rounds: number, scale: number): Promise<readonly Limit[]> {
  const keys = Math.round(1_000_000 * scale)
  const kills = { remote: [] as number[], local: [] as number[] }
  const rescales: number[] = []
  for (let round = 0; round < rounds; round++) {
    kills.remote.push(await killed(keys, false))
    kills.local.push(await killed(keys, true))
    rescales.push(await rescaled(keys))
  }
  return [
    limitOf({ name: 'kill -9 until all tasks run', unit: 'ms', limit: 2000 }, kills.remote),
    limitOf({ name: 'the same with local recovery', unit: 'ms', limit: 2000 }, kills.local),
    limitOf({ name: 'stop with savepoint and start with 3 instead of 2', unit: 'ms', limit: 3000 }, rescales),
  ]
}

const settings = {
  'execution.checkpointing.interval': '1 s',
  'execution.checkpointing.incremental': 'true',
  'restart-strategy.type': 'fixed-delay',
  'restart-strategy.fixed-delay.attempts': '10',
  'restart-strategy.fixed-delay.delay': '0 ms',
}

async function killed(keys: number, local: boolean): Promise<number> {
  const measured = await MeasuredCluster.start(3, {
    ...settings,
    'execution.state-recovery.from-local': String(local),
  })
  const { cluster } = measured
  try {
    const jobId = await measured.run(['-p', '2'], '--keys', String(keys), '--seconds', '3600')
    await measured.allKeysStored(jobId, keys)
    const [busy] = await cluster.busyTaskManagers()
    const killedAt = performance.now()
    const gone = cluster.killTaskManager(busy as number)
    const restarted = async (): Promise<boolean> =>
      ((await cluster.rest<{ readonly counts: { readonly restored: number } }>(`/jobs/${jobId}/checkpoints`))
        ?.counts.restored ?? 0) > 0
    await cluster.until('the restart', 60_000, restarted)
    await measured.untilRunning(jobId)
    const tookMs = performance.now() - killedAt
    await gone
    await measured.cancel(jobId)
    return tookMs
  } finally {
    await cluster.stop()
  }
}

async function rescaled(keys: number): Promise<number> {
  const measured = await MeasuredCluster.start(3, settings)
  const { cluster } = measured
  try {
    const jobId = await measured.run(['-p', '2'], '--keys', String(keys), '--seconds', '3600')
    await measured.allKeysStored(jobId, keys)
    const stoppedAt = performance.now()
    const { stdout } = await cluster.flink('stop', '-p', `${cluster.folder}/savepoints`, jobId).finished
    const savepoint = /file:\S+savepoint-\S+/.exec(stdout)?.[0]
    if (savepoint === undefined) throw new Error(`There is no savepoint in: ${stdout}`)
    const again = await measured.run(
      ['-p', '3', '-s', savepoint],
      '--keys',
      String(keys),
      '--seconds',
      '3600',
    )
    const tookMs = performance.now() - stoppedAt
    await measured.cancel(again)
    return tookMs
  } finally {
    await cluster.stop()
  }
}
