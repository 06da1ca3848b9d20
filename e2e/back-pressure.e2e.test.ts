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
const SHAPES = [
  { shape: 'diamond', seen: 2 },
  { shape: 'self-join', seen: 1 + 4 },
  { shape: 'union', seen: 3 },
]

test('a diamond, a self-join and a union in front of a slow step end, with every record once', async () => {
  const cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 6,
    // So little that all channels are full at once.
    configuration: { 'taskmanager.network.memory.channel-size': '16 kb' },
  })
  const records = 60_000
  const valve = join(cluster.folder, 'asleep')
  writeFileSync(valve, '')
  // At the same time: most of it they wait.
  const jobs = SHAPES.map(({ shape, seen }) => {
    const args = ['--shape', shape, '--records', String(records), '--sleep-while', valve]
    return { shape, seen, running: cluster.flink('run', '-p', '4', JOB, ...args) }
  })
  for (const { shape, running } of jobs) {
    const jobId = await cluster.submitted(running)
    await cluster.until(`back pressure at the source of the ${shape}`, 60_000, async () => {
      const job = await cluster.rest<Vertices>(`/jobs/${jobId}`)
      return (job?.vertices[0]?.metrics['accumulated-backpressured-time'] ?? 0) > 1000
    })
  }
  rmSync(valve)
  for (const { shape, seen, running } of jobs) {
    const { code, stdout, stderr } = await running.finished
    expect(code, `${shape}: ${stderr}`).toBe(0)
    expect(stdout, shape).toContain(`records: ${seen * records}`)
  }
  expect(await cluster.stop()).toEqual([])
}, 180_000)

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
  (180 + SECONDS) * 1000,
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
})
