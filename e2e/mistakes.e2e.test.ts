// Mistakes that users make, and what they read then: the place in their source and what to do, as the guide lists them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/mistakes.ts')
const source = readFileSync(JOB, 'utf8').split('\n')
const guide = readFileSync(join(REPOSITORY, 'docs/guide/troubleshooting.md'), 'utf8')
/** `file:line` of the line with this text. */
const at = (text: string): string =>
  `e2e/jobs/mistakes.ts:${source.findIndex(line => line.includes(text)) + 1}:`

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'restart-strategy.type': 'none' },
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

/** By mistake: words of the message, which the guide has too, and the place that it names. */
test.each([
  ['throw', 'there are no rules on this host', at("mistake === 'throw'"), undefined],
  ['exit', 'otherwise look for process.exit in user code', undefined, 'ended by itself (exit code'],
  ['connect', 'before env.execute()', at("mistake === 'connect'"), 'The program calls connect('],
  ['start', 'before env.execute()', at("mistake === 'start'"), 'The program calls spawn('],
  ['promise', 'returns a promise, but records are processed synchronously', undefined, undefined],
  ['key', 'gave no valid key for the record', at('.keyBy(() => undefined'), 'undefined cannot be a key'],
  ['schema', 'gave a record that its schema', at('.returns('), 'number.text is 3: expected a text, got 3'],
  ['record', 'cannot be stored or sent', undefined, 'format is a function'],
])('%s is told with what to do', async (mistake, words, place, more) => {
  const { code, stderr } = await cluster.flink('run', '-p', '2', JOB, mistake, String(cluster.restPort))
    .finished
  expect(code, stderr).toBe(1)
  expect(stderr).toContain(words)
  expect(stderr).toContain(place ?? '')
  expect(stderr).toContain(more ?? '')
  if (mistake !== 'throw') expect(guide).toContain(words)
  // What is not of the user is folded.
  expect(stderr.split('\n').filter(line => /^ {4}at .*(node_modules|packages\/)/.test(line))).toEqual([])
})

test('main that exits or hangs before execute does not end without a word', async () => {
  const folder = join(cluster.folder, 'main')
  mkdirSync(folder)
  const job = join(folder, 'job.ts')
  writeFileSync(job, `process.exit(0)\n`)
  const exits = await cluster.flink('run', job).finished
  expect(exits).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ended without calling env.execute()'),
  })
  expect(guide).toContain('ended without calling env.execute()')
})

test('a detached run says what the cluster refuses at the start of a job', async () => {
  const words = join(REPOSITORY, 'examples/word-count/src/job.ts')
  const { code, stderr } = await cluster.flink('run', '-d', '-s', '/nowhere/savepoint-1', words).finished
  expect([code, stderr]).toEqual([1, expect.stringContaining('/nowhere/savepoint-1')])
})

test('two jobs have different versions of one package side by side', async () => {
  const job = (version: string): string => {
    const folder = join(cluster.folder, `version-${version}`)
    mkdirSync(join(folder, 'node_modules/greeting'), { recursive: true })
    writeFileSync(
      join(folder, 'node_modules/greeting/package.json'),
      '{ "name": "greeting", "main": "i.js" }',
    )
    writeFileSync(join(folder, 'node_modules/greeting/i.js'), `exports.version = '${version}'\n`)
    writeFileSync(
      join(folder, 'job.ts'),
      `import { StreamExecutionEnvironment } from 'flink-ts'
import { version } from 'greeting'
const env = StreamExecutionEnvironment.getExecutionEnvironment()
console.log(await env.fromElements(1).map(() => version).executeAndCollect('greetings'))
`,
    )
    return join(folder, 'job.ts')
  }
  // One TaskManager runs both, at the same time.
  const results = await Promise.all(
    ['1.2.3', '4.5.6'].map(version => cluster.flink('run', job(version)).finished),
  )
  expect(results.map(({ code, stderr }) => [code, stderr])).toEqual([
    [0, ''],
    [0, ''],
  ])
  expect(results.map(({ stdout }) => stdout.trimEnd().split('\n').at(-1))).toEqual([
    "[ '1.2.3' ]",
    "[ '4.5.6' ]",
  ])
})
