// The commands of the guide, as a reader types them: every one is run here, or by the test that is named.
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

/** What the `sh` blocks of the guide have the reader type of ours; the rest is npm's and the system's. */
const commands = globSync('docs/guide/*.md', { cwd: REPOSITORY }).flatMap(page =>
  [...readFileSync(join(REPOSITORY, page), 'utf8').matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map(line => line.replace(/\s+#.*$/, '').trim())
    .filter(line => /^(bin\/|flink |npx )/.test(line)),
)

/** Commands that other tests run, by the file of the test. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'npx ./flink-ts-0.1.0.tgz init my-jobs': 'e2e/packages.e2e.test.ts',
  'npx flink run -m node1:6123 src/job.ts': 'e2e/packages.e2e.test.ts',
  'bin/start-cluster.sh': 'tools/readme-commands.test.ts',
  'bin/flink run examples/word-count/src/job.ts': 'tools/readme-commands.test.ts',
  'bin/stop-cluster.sh': 'tools/readme-commands.test.ts',
  'bin/taskmanager.sh start': 'tools/bin-scripts.test.ts',
  'bin/taskmanager.sh stop': 'tools/bin-scripts.test.ts',
  'bin/taskmanager.sh stop --now': 'tools/bin-scripts.test.ts',
  'bin/taskmanager.sh stop-all': 'tools/bin-scripts.test.ts',
}

const JOB = `import { DataGeneratorSource, DiscardingSink, type KeyedProcessFunction, type RuntimeContext,
  StreamExecutionEnvironment, type ValueState, ValueStateDescriptor, WatermarkStrategy } from 'flink-ts'

interface Visit { readonly user: string; readonly n: number }
class Last implements KeyedProcessFunction<string, Visit, number> {
  #last!: ValueState<number>
  open(context: RuntimeContext) {
    this.#last = context.getState(new ValueStateDescriptor<number>('last'))
  }
  processElement(visit: Visit) {
    this.#last.update(visit.n)
  }
}
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromSource(new DataGeneratorSource({ generator: n => ({ user: n % 2 === 0 ? 'ann' : 'bob', n }), ratePerSecond: 1000 }),
    WatermarkStrategy.noWatermarks(), 'visits')
  .keyBy(visit => visit.user)
  .process(new Last())
  .name('visit statistics')
  .sinkTo(new DiscardingSink())
await env.execute('commands of the guide')
`

let cluster: TestCluster
let backup: string
let job: string
const done = new Set<string>()

beforeAll(async () => {
  backup = mkdtempSync(join(tmpdir(), 'flink-backup-'))
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    retainedCheckpoints: true,
    configuration: {
      'execution.checkpointing.interval': '1 h',
      'execution.checkpointing.savepoint-dir': `file://${backup}`,
    },
  })
  job = join(cluster.folder, 'job.ts')
  writeFileSync(job, JOB)
})
afterAll(async () => {
  rmSync(backup, { recursive: true, force: true })
  expect(await cluster.stop()).toEqual([])
})

/** Runs a command of the guide, its places filled in; answers what it printed. */
async function run(
  command: string,
  places: Readonly<Record<string, string>> = {},
  code = 0,
): Promise<string> {
  expect(commands).toContain(command)
  done.add(command)
  let text = command.replace(/^(bin\/)?flink /, '')
  for (const [place, value] of Object.entries(places)) text = text.replaceAll(place, value)
  const words = [...text.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
  const { code: ended, stdout, stderr } = await cluster.flink(...words).finished
  expect(ended, `${command}\n${stdout}${stderr}`).toBe(code)
  return stdout + stderr
}

/** Starts the job by a command, and waits until it reads. */
async function started(
  command: string | undefined,
  places: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { '<from>': from = '', ...rest } = { ...places, 'job.ts': job }
  const detached: Record<string, string> = { ...rest, run: 'run -d' }
  if (from !== '') detached[SAVEPOINT] = from
  const out =
    command === undefined
      ? (await cluster.flink('run', '-d', job).finished).stdout
      : await run(command, detached)
  const jobId = /JobID ([0-9a-f]{32})/.exec(out)?.[1] ?? ''
  await cluster.until('records', 30_000, async () => (await cluster.recordsRead(jobId)) > 10)
  return jobId
}

const SAVEPOINT = '/backup/savepoint-abc123-0123456789ab'
const pathIn = (out: string): string => /Path: file:\/\/(\S+)/.exec(out)?.[1] ?? ''

test('checkpoints and savepoints, and what is in them', { timeout: 170_000 }, async () => {
  const first = await started(undefined)
  const here = { '/backup': backup }
  const before = pathIn(await run('bin/flink savepoint <jobId> /backup', { ...here, '<jobId>': first }))
  const after = pathIn(await run('bin/flink stop -p /backup <jobId>', { ...here, '<jobId>': first }))
  expect([existsSync(before), existsSync(after)]).toEqual([true, true])

  const checkpoint = {
    '/data/checkpoints/<job id>/chk-42': after,
    '/data/checkpoints/<job id>/chk-41': before,
  }
  expect(await run('flink state ls /data/checkpoints/<job id>/chk-42', checkpoint)).toContain(
    'visit statistics',
  )
  const get = `flink state get /data/checkpoints/<job id>/chk-42 'visit statistics' last ann`
  expect(await run(get, checkpoint)).toMatch(/^\d+/m)
  const lines = join(cluster.folder, 'last.jsonl')
  const exported = 'flink state export /data/checkpoints/<job id>/chk-42 --state last -o last.jsonl'
  await run(exported, { ...checkpoint, 'last.jsonl': lines })
  expect(readFileSync(lines, 'utf8')).toContain('ann')
  const diff = 'flink state diff /data/checkpoints/<job id>/chk-41 /data/checkpoints/<job id>/chk-42'
  expect(await run(diff, checkpoint)).toContain('last')

  const second = await started('bin/flink run -s /backup/savepoint-abc123-0123456789ab job.ts', {
    '<from>': after,
  })
  await run('bin/flink cancel -s /backup <jobId>', { ...here, '<jobId>': second })
  const latest = await started('bin/flink run --from latest job.ts')
  await run('bin/flink stop --drain -p /backup <jobId>', { ...here, '<jobId>': latest })
  await run('bin/flink savepoint -d /backup/savepoint-...', { '/backup/savepoint-...': before })
  expect(existsSync(before)).toBe(false)
  const folder = join(cluster.folder, 'checkpoints')
  await run('flink checkpoint gc /data/checkpoints --dry-run', { '/data/checkpoints': folder })
})

test('configuration', async () => {
  expect(await run('bin/flink config explain rest.port')).toContain('Set here')
  // The ports of the cluster are in use, by itself.
  expect(await run('bin/flink doctor')).toContain('Node.js')
})

test('all commands are run, here or elsewhere', () => {
  const missing = commands.filter(command => !done.has(command) && ELSEWHERE[command] === undefined)
  expect(missing).toEqual([])
  const gone = Object.entries(ELSEWHERE).filter(
    ([command, file]) => !commands.includes(command) || !existsSync(join(REPOSITORY, file)),
  )
  expect(gone).toEqual([])
})
