import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/branches.ts')
/** How long memory is watched: 300 for what the design promises. */
const SECONDS = Number(process.env['BACK_PRESSURE_SECONDS'] ?? 8)
const MB = 2 ** 20

interface Vertices {
  readonly vertices: readonly {
    readonly name: string
    readonly metrics: Readonly<Record<string, number>>
  }[]
}

function residentBytes(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

// With records that each consumer sees, at parallelism 4: a broadcast one is seen by all.
test.each([
  { shape: 'diamond', seen: 2 },
  { shape: 'self-join', seen: 1 + 4 },
  { shape: 'union', seen: 3 },
])(
  'a $shape in front of a slow step ends, with every record once',
  async ({ shape, seen }) => {
    const cluster = await TestCluster.start({
      taskManagers: 2,
      slots: 2,
      // So little that all channels are full at once.
      configuration: { 'taskmanager.network.memory.channel-size': '16 kb' },
    })
    const records = 60_000
    const valve = join(cluster.folder, 'asleep')
    writeFileSync(valve, '')
    const args = ['--shape', shape, '--records', String(records), '--sleep-while', valve]
    const running = cluster.flink('run', '-p', '4', JOB, ...args)
    const jobId = await cluster.submitted(running)
    await cluster.until('back pressure at the source', 30_000, async () => {
      const job = await cluster.rest<Vertices>(`/jobs/${jobId}`)
      return (job?.vertices[0]?.metrics['accumulated-backpressured-time'] ?? 0) > 1000
    })
    rmSync(valve)
    const { code, stdout, stderr } = await running.finished
    expect(code, stderr).toBe(0)
    expect(stdout).toContain(`records: ${seen * records}`)
    expect(await cluster.stop()).toEqual([])
  },
  120_000,
)

test(
  'the memory of a TaskManager stays flat while a sink sleeps',
  async () => {
    const cluster = await TestCluster.start({ taskManagers: 2, slots: 1 })
    const valve = join(cluster.folder, 'asleep')
    writeFileSync(valve, '')
    const args = ['--records', '1000000000', '--sleep-while', valve]
    const running = cluster.flink('run', '-p', '2', JOB, ...args)
    const jobId = await cluster.submitted(running)
    await cluster.until('all channels to be full', 30_000, async () => {
      const { metrics } = (await cluster.rest<Vertices>(`/jobs/${jobId}`))?.vertices[0] ?? {}
      // Where source and sleeper share a thread, the source is busy calling it.
      return (
        (metrics?.['accumulated-busy-time'] ?? 0) + (metrics?.['accumulated-backpressured-time'] ?? 0) > 6000
      )
    })
    const resident = (): number[] => cluster.taskManagers.map(({ pid }) => residentBytes(pid))
    const before = resident()
    const most = [...before]
    for (let second = 0; second < SECONDS; second++) {
      await new Promise(resolve => setTimeout(resolve, 1000))
      for (const [i, sizeBytes] of resident().entries()) most[i] = Math.max(most[i] as number, sizeBytes)
    }
    for (const [i, sizeBytes] of most.entries())
      expect(sizeBytes - (before[i] as number)).toBeLessThan(24 * MB)
    expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
    await running.finished
    expect(await cluster.stop()).toEqual([])
  },
  (60 + SECONDS) * 1000,
)

test('a job whose channels do not fit is refused with what it needs', async () => {
  const cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 2,
    configuration: { 'taskmanager.memory.network.min': '40 kb', 'taskmanager.memory.network.max': '40 kb' },
  })
  const { code, stderr } = await cluster.flink('run', '-p', '4', JOB, '--records', '1000').finished
  expect(code).toBe(1)
  expect(stderr).toMatch(/needs \d+ bytes of network memory on this TaskManager, .* and it has 40960/)
  expect(stderr).toContain('Set taskmanager.memory.network.min to')
  expect(await cluster.stop()).toEqual([])
}, 60_000)
