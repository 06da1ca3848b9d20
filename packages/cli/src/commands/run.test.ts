import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  Deferred,
  defineError,
  type JobId,
  type LeaderSessionId,
  nullLogger,
  type ResourceId,
  type SerializedError,
  SystemClock,
  SystemRandom,
  serializeError,
  VERSION,
} from '@flink-ts/common'
import { DISPATCHER_ENDPOINT, type JobResult, type JobSubmission } from '@flink-ts/gateways'
import { extractBundle } from '@flink-ts/jobgraph'
import { BlobServer, blobKeyOf, GrpcRpcService } from '@flink-ts/rpc'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

// `flink` as a process, against a JobManager in this one of which only the Dispatcher's answers are made up.

const MAIN = fileURLToPath(new URL('../cli-main.ts', import.meta.url))
const Refused = defineError<Record<never, never>>({
  code: 'dispatcher.refused',
  domain: 'user',
  retry: 'no',
  message: () => 'Too many slots.',
})

class FakeDispatcher {
  readonly endpointName = DISPATCHER_ENDPOINT
  readonly leaderSessionId = 'leader' as LeaderSessionId
  readonly submissions: JobSubmission[] = []
  readonly cancelled: string[] = []
  readonly asked = new Deferred<void>()
  /** Undefined: the job never ends. */
  outcome: ((submission: JobSubmission) => JobResult) | undefined = ({ graph }) => ({
    status: 'FINISHED',
    result: { jobId: graph.jobId, jobName: graph.name, netRuntimeMs: 3210, accumulators: { rows: 7 } },
  })
  refuse = false
  /** Jobs that run have no slot. */
  waiting = false

  acceptSession() {
    return {
      submitJob: async (submission: JobSubmission): Promise<void> => {
        if (this.refuse) throw Refused({})
        this.submissions.push(submission)
      },
      requestJobResult: async (jobId: JobId): Promise<JobResult> => {
        const submission = this.submissions.find(one => one.graph.jobId === jobId) as JobSubmission
        this.asked.resolve()
        return this.outcome === undefined ? new Promise(() => {}) : this.outcome(submission)
      },
      listJobs: async () =>
        this.submissions.map(({ graph }, i) => ({
          jobId: graph.jobId,
          name: graph.name,
          status: i === 0 ? 'FINISHED' : 'RUNNING',
          startTime: i,
          endTime: -1,
          lastModification: i,
          tasks: this.waiting ? { SCHEDULED: 2 } : {},
        })),
      requestJobDetails: async (jobId: JobId) => {
        if (!this.waiting) throw new Error('nobody asks')
        return {
          ...{ jobId, status: 'RUNNING', restarts: 0, failures: [] },
          graph: { vertices: [{ slotSharingGroup: 'default', parallelism: 2 }], edges: [] },
          vertices: [{ subtasks: [{ status: 'SCHEDULED', timestamps: { SCHEDULED: 1000 } }] }],
        }
      },
      requestResourceOverview: async () => ({
        taskManagers: [{ allocatedSlots: [firstId] }],
        totalSlots: 1,
        freeSlots: 0,
      }),
      cancelJob: async (jobId: JobId): Promise<void> => void this.cancelled.push(jobId),
    }
  }
}

let dir: string
let dispatcher: FakeDispatcher
let rpc: GrpcRpcService
const children: ChildProcess[] = []

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'run-test-'))
  mkdirSync(join(dir, 'tmp'))
  const dependencies = { clock: new SystemClock(), random: new SystemRandom(), logger: nullLogger }
  rpc = new GrpcRpcService(
    { resourceId: 'jm' as ResourceId, version: VERSION, bindHost: '127.0.0.1', port: 0 },
    dependencies,
  )
  await rpc.start()
  const blobs = new BlobServer({ directory: join(dir, 'blobs') }, dependencies)
  await blobs.start()
  rpc.serveBlobs(blobs)
  dispatcher = new FakeDispatcher()
  rpc.serve(dispatcher)
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rpc.close()
  rmSync(dir, { recursive: true, force: true })
})

/** A program that reaches the context as `flink-ts` does. */
function program(body: string): string {
  const file = join(dir, 'job.ts')
  writeFileSync(
    file,
    `const context = (globalThis as any)[Symbol.for('flink-ts.execution-context')]
let jobs = 0
async function execute(name: string): Promise<any> {
  const jobId = String(++jobs).padStart(32, 'a')
  const client = await context.executor.execute({ jobId, name, vertices: [], edges: [] }, {})
  return client.result()
}
${body}
`,
  )
  return file
}

function flink(command: string, ...args: string[]) {
  return flinkWithout(command, '-m', rpc.address, ...args)
}

/** A command that needs no cluster. */
function flinkWithout(...args: string[]) {
  const child = spawn(process.execPath, ['--conditions=@flink-ts/source', MAIN, ...args], {
    env: { ...process.env, TMPDIR: join(dir, 'tmp'), FLINK_CONF_DIR: '', REGION: 'eu' },
    cwd: dir,
  })
  children.push(child)
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const finished = new Promise<{ code: number | null; stdout: string; stderr: string }>(resolve =>
    child.once('close', code => resolve({ code, stdout, stderr })),
  )
  return { child, finished }
}

const nothingLeft = (): void => expect(readdirSync(join(dir, 'tmp'))).toEqual([])
const firstId = 'a'.repeat(31) + 1

describe('flink run', { timeout: 60_000 }, () => {
  it('submits what main makes, waits, and runs the rest of main', async () => {
    const job = program(`const region = process.env.REGION
const rules = context.capture('rules', () => 42)
const result = await execute('delays')
console.log(JSON.stringify({ region, rules, args: context.args, argv: process.argv.slice(2), rows: result.accumulators.rows, parallelism: context.configuration['parallelism.default'] }))`)
    const { code, stdout, stderr } = await flink('run', '-p', '3', '-Ds3.secret-key=hush', job, '--x', '-p')
      .finished
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toEqual([
      `Job has been submitted with JobID ${firstId}`,
      `Job ${firstId} finished in 3.2 s`,
      '{"region":"eu","rules":42,"args":["--x","-p"],"argv":["--x","-p"],"rows":7,"parallelism":"3"}',
      '',
    ])
    expect(code).toBe(0)
    nothingLeft()
    const [submission] = dispatcher.submissions
    expect(submission?.program.record).toMatchObject({
      args: ['--x', '-p'],
      environment: { REGION: 'eu' },
      configuration: { 'parallelism.default': '3' },
      captures: { rules: expect.any(String) },
    })
    expect(JSON.stringify(submission)).not.toContain('hush')
    // What the cluster got is the bundle that ran here.
    const code0 = submission?.program.code
    const blobKey = code0?.type === 'bundle' ? code0.blobKey : ''
    const blobFile = readdirSync(join(dir, 'blobs'), { recursive: true, withFileTypes: true }).find(
      entry => entry.isFile() && entry.name.includes(blobKey),
    )
    const file = join(blobFile?.parentPath ?? '', blobFile?.name ?? '')
    expect(await blobKeyOf(file)).toBe(blobKey)
    const { moduleUrl } = await extractBundle(file, join(dir, 'extracted'), { runtimeModuleDirs: {} })
    expect(readFileSync(fileURLToPath(moduleUrl), 'utf8')).toContain('REGION')
  })

  it('runs several jobs, each with the results of those before', async () => {
    const job = program(
      `const first = await execute('first')\nawait execute('second of ' + first.accumulators.rows)`,
    )
    expect((await flink('run', job).finished).code).toBe(0)
    expect(dispatcher.submissions.map(one => [one.graph.name, one.program.executeIndex])).toEqual([
      ['first', 0],
      ['second of 7', 1],
    ])
    expect(dispatcher.submissions[1]?.program.record.earlierResults).toMatchObject([{ jobName: 'first' }])
  })

  it('runs bundles', async () => {
    const job = program(`await execute('bundled')`)
    const bundle = join(dir, 'job.tgz')
    const made = spawn(process.execPath, ['--conditions=@flink-ts/source', MAIN, 'bundle', job, '-o', bundle])
    children.push(made)
    await new Promise(resolve => made.once('close', resolve))
    expect((await flink('run', bundle).finished).code).toBe(0)
    expect(dispatcher.submissions[0]?.graph.name).toBe('bundled')
  })

  it("prints the user's stack first when the job fails", async () => {
    const error: SerializedError = {
      name: 'RangeError',
      message: 'bad record',
      stack: 'RangeError: bad record\n    at parse (/project/job.ts:7:3)',
    }
    dispatcher.outcome = ({ graph }) => ({ status: 'FAILED', jobId: graph.jobId, error })
    const { code, stderr } = await flink('run', program(`await execute('failing')`)).finished
    expect(stderr).toBe(`${error.stack}\nJob ${firstId} (failing) did not finish.\n`)
    expect(code).toBe(1)
    nothingLeft()
  })

  it('leaves the failure to a program that handles it', async () => {
    dispatcher.outcome = ({ graph }) => ({
      status: 'CANCELED',
      jobId: graph.jobId,
      error: serializeError(new Error('x')),
    })
    const job = program(
      `await execute('cancelled').catch((error: any) => console.log('handled', error.code))`,
    )
    const { code, stdout } = await flink('run', job).finished
    expect(stdout).toContain('handled client.job-cancelled')
    expect(code).toBe(0)
  })

  it('prints the failure of main with the line of the source', async () => {
    const job = program(`function prepare(): void {\n  throw new TypeError('no rules')\n}\nprepare()`)
    const { code, stderr } = await flink('run', job).finished
    // The user's file, not the one in the temporary folder of the bundle.
    expect(stderr).toMatch(
      new RegExp(
        `^TypeError: no rules\\n {4}at prepare \\(${job}:9:9\\)\\n {4}at <anonymous> \\(${job}:11:1\\)\\n`,
        'm',
      ),
    )
    expect(stderr).toMatch(/\n {4}\.\.\. \d+ frames? of flink-ts, packages and Node\.js\n$/)
    expect(code).toBe(1)
    nothingLeft()
  })

  it('calls the function that -c names with the arguments, here and wherever the bundle runs', {
    timeout: 120_000,
  }, async () => {
    const job = program(`export async function main(args: string[]) {
  const result = await execute('of ' + args.join(' '))
  console.log('rows', result.accumulators.rows)
}
export default 1`)
    const { code, stdout, stderr } = await flink('run', '-c', 'main', job, '-x', 'y').finished
    expect(code, stderr).toBe(0)
    expect(stdout).toMatch(/\nrows 7\n$/)
    expect(dispatcher.submissions[0]?.graph.name).toBe('of -x y')
    const bundle = join(dir, 'job.tgz')
    expect((await flinkWithout('bundle', job, '-c', 'main', '-o', bundle).finished).code).toBe(0)
    expect((await flink('run', bundle, 'z').finished).code).toBe(0)
    expect(dispatcher.submissions[1]?.graph.name).toBe('of z')

    const unknown = await flink('run', '-c', 'mian', job).finished
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain(
      `${job} exports no 'mian', which -c names as its main. It exports: default, main.`,
    )
    const fixed = await flink('run', '-c', 'main', bundle).finished
    expect(fixed).toMatchObject({ code: 2, stderr: expect.stringContaining('flink bundle -c main') })
    nothingLeft()
  })

  it('says what the cluster refuses', async () => {
    dispatcher.refuse = true
    const { code, stderr } = await flink('run', program(`await execute('refused')`)).finished
    expect(stderr).toContain('Too many slots. [dispatcher.refused]')
    expect(code).toBe(1)
  })

  it('returns at once when detached', async () => {
    dispatcher.outcome = undefined
    const job = program(`await execute('detached')\nconsole.log('not here')`)
    const { code, stdout } = await flink('run', '-d', job).finished
    expect(stdout).toBe(`Job has been submitted with JobID ${firstId}\n`)
    expect(code).toBe(0)
    nothingLeft()
  })

  it('says at Ctrl-C that the job goes on', async () => {
    dispatcher.outcome = undefined
    const { child, finished } = flink('run', program(`await execute('endless')`))
    await dispatcher.asked.promise
    child.kill('SIGINT')
    const { code, stderr } = await finished
    expect(stderr).toBe(`Job ${firstId} goes on. To cancel it: flink cancel ${firstId}\n`)
    expect(code).toBe(130)
    nothingLeft()
  })

  it('says the same when it is ended by SIGTERM', async () => {
    dispatcher.outcome = undefined
    const { child, finished } = flink('run', program(`await execute('endless')`))
    await dispatcher.asked.promise
    child.kill('SIGTERM')
    expect(await finished).toMatchObject({ code: 143, stderr: expect.stringContaining('goes on. To cancel') })
    nothingLeft()
  })

  it('cancels the job at Ctrl-C with -sae', async () => {
    dispatcher.outcome = undefined
    const { child, finished } = flink('run', '-sae', program(`await execute('endless')`))
    await dispatcher.asked.promise
    child.kill('SIGINT')
    const { code, stderr } = await finished
    expect(stderr).toBe(`Cancelling job ${firstId}, since this client ends (-sae) ...\n`)
    expect(dispatcher.cancelled).toEqual([firstId])
    expect(code).toBe(130)
    nothingLeft()
  })

  it('says at once that the JobManager is lost, and at the end that nobody knows the state', async () => {
    dispatcher.outcome = undefined
    const job = program(`await execute('endless')`)
    const { finished } = flink('run', '-Dclient.timeout=500 ms', job)
    await dispatcher.asked.promise
    await rpc.close()
    const { code, stderr } = await finished
    expect(code).toBe(3)
    const lost = stderr.indexOf(`Lost the connection to the JobManager at ${rpc.address}`)
    const unknown = stderr.indexOf(`What became of job ${firstId} is unknown`)
    expect(lost).toBeGreaterThanOrEqual(0)
    expect(unknown).toBeGreaterThan(lost)
    expect(stderr).not.toContain('did not finish')
    nothingLeft()
  })

  it('says that process.exit came before the job was submitted, or before its end', async () => {
    const early = await flink('run', program(`execute('early')\nprocess.exit(0)`)).finished
    expect(early).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        "before 'early' reached the cluster: nothing runs. Write await env.execute",
      ),
    })
    dispatcher.outcome = undefined
    const on = program(
      `execute('goes on')\nconst print = process.stdout.write\nprocess.stdout.write = (...text) => {\n  setTimeout(() => process.exit(0), 50)\n  return print.apply(process.stdout, text)\n}`,
    )
    expect(await flink('run', on).finished).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`Job ${firstId} goes on: the program ended by process.exit before it.`),
    })
    nothingLeft()
  })

  it('says when a program makes no job, and waits for one that is not awaited', async () => {
    const none = await flink('run', program('export {}')).finished
    expect(none).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('ended without calling env.execute()'),
    })
    const floating = program(`async function main() {
  await new Promise(resolve => setTimeout(resolve, 300))
  await execute('floating')
  console.log('after')
}
main()`)
    const { code, stdout } = await flink('run', floating).finished
    expect(stdout).toMatch(/submitted.*\nJob .* finished in .*\nafter\n$/)
    expect(code).toBe(0)
    const failing = await flink('run', program(`setTimeout(async () => { throw new Error('late') }, 1)`))
      .finished
    expect(failing).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Error: late\n\s+at .*job\.ts:8/),
    })
    expect(existsSync(join(dir, 'tmp'))).toBe(true)
    nothingLeft()
  })
})

describe('flink info', { timeout: 30_000 }, () => {
  it('leaves nothing at Ctrl-C', async () => {
    const job = program(`console.log('planning')\nawait new Promise(resolve => setTimeout(resolve, 20_000))`)
    const { child, finished } = flinkWithout('info', job)
    await new Promise(resolve => child.stdout?.once('data', resolve))
    child.kill('SIGINT')
    expect((await finished).code).toBe(130)
    nothingLeft()
  })
})

describe('flink list and cancel', { timeout: 120_000 }, () => {
  it('list shows running jobs, or all; cancel asks for the end', async () => {
    expect(await flink('list').finished).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('No running jobs'),
    })
    const job = program(`await execute('first')\nawait execute('second')`)
    expect((await flink('run', job).finished).code).toBe(0)
    const running = (await flink('list').finished).stdout
    expect(running).toMatch(
      /^-+ Running\/Restarting Jobs -+\n\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d : a+2 : second \(RUNNING\)\n-+\nNo scheduled jobs\.\n$/,
    )
    expect((await flink('list', '-s').finished).stdout).toBe('No scheduled jobs.\n')
    const every = (await flink('list', '-a').finished).stdout
    expect(every).toMatch(/\n-+ Terminated Jobs -+\n.* : a+1 : first \(FINISHED\)\n-+\n$/)
    const all = JSON.parse((await flink('list', '-a', '--json').finished).stdout) as { name: string }[]
    expect(all.map(one => one.name)).toEqual(['second', 'first'])
    expect(await flink('cancel', firstId.toUpperCase()).finished).toMatchObject({ code: 0 })
    expect(dispatcher.cancelled).toEqual([firstId])

    dispatcher.waiting = true
    expect((await flink('list').finished).stdout).toMatch(
      /second \(RUNNING\)\n {4}waits for slots since \S+ \S+: it needs 2 and has 0; the cluster has 1 on 1 TaskManager, 0 of them free\. Start/,
    )
    const [waiting] = JSON.parse((await flink('list', '--json').finished).stdout) as object[]
    expect(waiting).toMatchObject({ waitsForSlots: { needed: 2, has: 0, since: 1000 } })
  })
})
