import { type Limit, limitOf } from './limit.ts'
import { MeasuredCluster } from './measured-cluster.ts'

const RATE = 50_000
const SECONDS = 20

/**
 * What checkpoints cost a slot with a million keys: the synchronous part, and the share of its thread that they take at
 * 50,000 updates a second, which is the throughput it no longer has for records. Each round runs without and with.
 */
export async function checkpointLimits(rounds: number, scale: number): Promise<readonly Limit[]> {
  const keys = Math.round(1_000_000 * scale)
  const seconds = Math.max(5, Math.round(SECONDS * scale))
  const measured = await MeasuredCluster.start(1, { 'taskmanager.memory.task.heap.size': '2 gb' })
  const lost = new Map<string, number[]>()
  const sync: number[] = []
  const load = async (settings: readonly string[]): Promise<{ share: number; jobId: string }> => {
    const jobId = await measured.run(
      settings.map(setting => `-D${setting}`),
      ...['--keys', String(keys), '--rate', String(RATE), '--seconds', String(seconds)],
    )
    const { cpuMs, wallMs } = await measured.stretch()
    return { share: (100 * cpuMs) / wallMs, jobId }
  }
  try {
    for (let round = 0; round < rounds; round++) {
      const without = await load(['execution.checkpointing.interval=1 h'])
      await measured.cancel(without.jobId)
      for (const interval of ['10 s', '1 s']) {
        for (const incremental of [true, false]) {
          const run = await load([
            `execution.checkpointing.interval=${interval}`,
            `execution.checkpointing.incremental=${incremental}`,
          ])
          sync.push(...(await measured.syncMs(run.jobId)))
          await measured.cancel(run.jobId)
          const name = `every ${interval}, ${incremental ? 'incremental' : 'full'}`
          lost.set(name, [...(lost.get(name) ?? []), run.share - without.share])
        }
      }
    }
  } finally {
    await measured.cluster.stop()
  }
  const goals: Readonly<Record<string, number>> = {
    'every 10 s, incremental': 3,
    'every 1 s, incremental': 10,
  }
  return [
    limitOf({ name: 'synchronous part, 1 M keys', unit: 'ms', limit: 20 }, sync),
    ...[...lost].map(([name, values]) =>
      limitOf({ name: `throughput lost, ${name}`, unit: '%', limit: goals[name] }, values),
    ),
  ]
}
