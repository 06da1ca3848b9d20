import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { randomPause, seededChoices } from './harness/random-moments.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

let cluster: TestCluster
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sources-and-sinks-'))
  cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  expect(await cluster.stop()).toEqual([])
})

const job = (name: string): string => join(REPOSITORY, `e2e/jobs/${name}.ts`)
/** Of the files that are visible. */
function linesIn(output: string): readonly string[] {
  if (!existsSync(output)) return []
  return readdirSync(output)
    .filter(name => !name.startsWith('.'))
    .flatMap(name => readFileSync(join(output, name), 'utf8').trimEnd().split('\n'))
}

const killJobHost = (): void => {
  for (const pid of cluster.jobHosts()) process.kill(pid, 'SIGKILL')
}

test.each([1, 2, 4])(
  'a global committer commits all once at parallelism %i, whatever is killed',
  async parallelism => {
    const output = join(folder, `catalog-${parallelism}`)
    mkdirSync(output)
    const random = seededChoices(`catalog, parallelism ${parallelism}`)
    const running = cluster.flink('run', '-p', String(parallelism), job('catalog'), '--output', output)
    await cluster.firstCheckpoint(await cluster.submitted(running))
    await randomPause(random, 0, 400)
    killJobHost()
    await randomPause(random, 200, 600)
    const [busy = 0] = await cluster.busyTaskManagers()
    await cluster.killTaskManager(busy)
    cluster.startTaskManager()
    const { code, stdout, stderr } = await running.finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    const rows = readdirSync(output)
      .filter(name => name.endsWith('.json'))
      .flatMap(name => JSON.parse(readFileSync(join(output, name), 'utf8')) as number[])
    expect(rows.length).toBe(20_000)
    expect(new Set(rows).size).toBe(20_000)
    // In the job host, for all subtasks at once: neither in the TaskManagers nor in the JobManager.
    const commits = readFileSync(join(output, 'commits.log'), 'utf8').trimEnd().split('\n')
    const all = Array.from({ length: parallelism }, (_, i) => i).join(' ')
    expect(commits.some(line => line.split(' ').slice(1).join(' ') === all)).toBe(true)
    const committers = new Set(commits.map(line => Number(line.split(' ')[0])))
    for (const taskManager of cluster.taskManagers)
      expect(committers.has(taskManager.pid as number)).toBe(false)
    await cluster.waitForSlots(4)
  },
)

test('new files in a folder are read as they appear, each line once, also when the job host is killed', async () => {
  const input = join(folder, 'in')
  const output = join(folder, 'out')
  mkdirSync(input)
  const expected: string[] = []
  const addFile = (number: number): void => {
    const lines = Array.from({ length: 1000 }, (_, i) => `file ${number} line ${i}`)
    expected.push(...lines)
    writeFileSync(join(input, `.${number}`), `${lines.join('\n')}\n`)
    renameSync(join(input, `.${number}`), join(input, `${number}.txt`))
  }
  const written = (): readonly string[] => linesIn(output)
  addFile(0)
  const running = cluster.flink('run', '-p', '3', job('watch'), '--input', input, '--output', output)
  const jobId = await cluster.submitted(running)
  for (let number = 1; number <= 8; number++) {
    if (number % 3 === 0) killJobHost()
    addFile(number)
    if (number % 2 === 0)
      await cluster.until(`lines of file ${number}`, 20_000, async () => written().length >= expected.length)
  }
  await cluster.until('all lines', 20_000, async () => written().length >= expected.length)
  expect([...written()].sort()).toEqual([...expected].sort())
  const cancelled = await cluster.flink('cancel', jobId).finished
  expect(cancelled.code).toBe(0)
  await running.finished
  expect([...written()].sort()).toEqual([...expected].sort())
})

test('a folder goes on being watched from a savepoint at another parallelism: no line is missing or there twice', async () => {
  const input = join(folder, 'in-2')
  const output = join(folder, 'out-2')
  mkdirSync(input)
  const expected: string[] = []
  const addFiles = (from: number, to: number): void => {
    for (let number = from; number < to; number++) {
      const lines = Array.from({ length: 2000 }, (_, i) => `file ${number} line ${i}`)
      expected.push(...lines)
      writeFileSync(join(input, `.${number}`), `${lines.join('\n')}\n`)
      renameSync(join(input, `.${number}`), join(input, `${number}.txt`))
    }
  }
  const written = (): readonly string[] => linesIn(output)
  let savepoint: readonly string[] = []
  for (const [step, parallelism] of [2, 4, 1].entries()) {
    // The first ones are read, the others may be on their way when the job is stopped.
    addFiles(10 * step, 10 * step + 5)
    const args = [job('watch'), '--input', input, '--output', output]
    const running = cluster.flink('run', '-d', '-p', String(parallelism), ...savepoint, ...args)
    const jobId = await cluster.submitted(running)
    const known = expected.length
    await cluster.until('the first files', 20_000, async () => written().length >= known)
    addFiles(10 * step + 5, 10 * step + 10)
    const { code, stdout, stderr } = await cluster.flink('stop', '-p', join(folder, 'savepoints'), jobId)
      .finished
    expect(code, stderr).toBe(0)
    const path = /Savepoint completed\. Path: (\S+)/.exec(stdout)?.[1] as string
    savepoint = ['-s', fileURLToPath(path)]
    await cluster.waitForSlots(4)
  }
  const last = cluster.flink(
    ...['run', '-d', '-p', '3', ...savepoint, job('watch'), '--input', input, '--output', output],
  )
  const jobId = await cluster.submitted(last)
  await cluster.until('all lines', 20_000, async () => written().length >= expected.length)
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  await cluster.untilJob(jobId, 'CANCELED')
  expect([...written()].sort()).toEqual([...expected].sort())
})
