import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { SeededRandom } from '@flink-ts/common'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBundle } from '../bundle/create-bundle.ts'
import { extractBundle } from '../bundle/extract-bundle.ts'
import type { ReplayableProgram, ReplayRecord } from './program.ts'

// Each planning run and each replay is a thread of its own, as in a cluster.

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'replay-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const SOURCES = new URL('../', import.meta.url).href
const RUNTIME = JSON.stringify(`${SOURCES}index.ts`)
const PRELUDE = `import { currentExecutionContext } from ${JSON.stringify(`${SOURCES}execution/pipeline-executor.ts`)}
const context = currentExecutionContext()
const execute = async what => (await context.executor.execute({ jobId: 'id', name: what.name ?? 'job' }, what)).result()
`

function module(body: string, name = 'job.mjs'): string {
  const file = join(dir, name)
  writeFileSync(file, PRELUDE + body)
  return pathToFileURL(file).href
}

async function inThread<T>(body: string, env?: Record<string, string>): Promise<T> {
  const code = `import { parentPort } from 'node:worker_threads'
import { createPlanningContext, installExecutionContext, replayProgram, startPlanningRecorder } from ${RUNTIME}
const answer = await (async () => { ${body} })().catch(error => ({ code: error.code, message: error.message, stack: error.stack }))
parentPort.postMessage(answer)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`), {
    execArgv: ['--conditions=@flink-ts/source'],
    env: { ...process.env, ...env },
  })
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', code => reject(new Error(`the thread ended with ${code}`)))
    })
  } finally {
    await worker.terminate()
  }
}

interface Planned {
  readonly programs: ReplayableProgram[]
  readonly functions: unknown[]
  readonly code?: string
  readonly message?: string
}

/** Runs main as the client does; every job ends at once with a result, but for `failing` and `refused`. */
function plan(url: string, args: string[] = [], env?: Record<string, string>): Promise<Planned> {
  return inThread(
    `const args = ${JSON.stringify(args)}
    const recorder = startPlanningRecorder({ args })
    const programs = [], functions = []
    installExecutionContext(createPlanningContext({ args, configuration: {}, code: { type: 'module', url: '' } }, {
      recorder,
      async submit(graph, program, what) {
        programs.push(program)
        functions.push(what)
        if (graph.name === 'refused') throw new Error('no slots')
        const result = { jobId: 'job-' + programs.length, jobName: graph.name, netRuntimeMs: 1, accumulators: { n: programs.length } }
        return { jobId: result.jobId, status: async () => 'FINISHED', cancel: async () => {}, result: async () => { if (graph.name === 'failing') throw new Error('it failed'); return result } }
      },
    }))
    process.argv = [process.argv[0], 'job', ...args]
    try { await import(${JSON.stringify(url)}) } finally { recorder.stop() }
    return { programs, functions }`,
    env,
  )
}

interface Replayed {
  readonly program: unknown
  readonly after?: unknown
  readonly code?: string
  readonly message?: string
  readonly stack?: string
}

function replay(
  url: string,
  program: ReplayableProgram,
  options: object = {},
  after = 'undefined',
  env?: Record<string, string>,
): Promise<Replayed> {
  return inThread(
    `const { program } = await replayProgram(${JSON.stringify(program)}, ${JSON.stringify({ moduleUrl: url, configuration: {}, ...options })})
    return { program, after: await (${after}) }`,
    env,
  )
}

const emptyRecord: ReplayRecord = {
  args: [],
  randomSeed: 1,
  clockReadings: [],
  environment: {},
  captures: {},
  earlierResults: [],
}
const program = (record: Partial<ReplayRecord> = {}, executeIndex = 0): ReplayableProgram => ({
  code: { type: 'module', url: '' },
  record: { ...emptyRecord, ...record },
  executeIndex,
})

describe('a replay', { timeout: 30_000 }, () => {
  it('sees what the planning run saw', async () => {
    const url = module(`import crypto, { randomBytes, randomUUID } from 'node:crypto'
import { env } from 'node:process'
const seen = []
for (let i = 0; i < 50; i++) { seen.push(Date.now()); for (let spin = 0; spin < 20000; spin++) Math.sqrt(spin) }
await new Promise(resolve => setTimeout(resolve, 5))
seen.push(new Date().toISOString(), Date().length > 10, performance.now(), new Date(0).getTime(), Date.UTC(2001, 5, 4))
seen.push(new Date() instanceof Date, new Date().constructor === Date, Object.prototype.toString.call(new Date()))
seen.push(Math.random(), randomUUID(), randomBytes(4).toString('hex'), crypto.randomInt(1000), globalThis.crypto.randomUUID())
seen.push([...globalThis.crypto.getRandomValues(new Uint8Array(3))])
seen.push(await new Promise(resolve => crypto.randomBytes(2, (_, bytes) => resolve(bytes.toString('hex')))))
seen.push(process.env.REGION, env.REGION, env.NOT_SET, 'NOT_SET' in process.env, Object.keys(process.env).includes('SOME_TOKEN'))
seen.push(process.argv.slice(2), context.args)
seen.push(context.capture('rules', () => ({ when: new Date(3), list: [1n, undefined, -0] })))
seen.push(await context.capture('later', async () => new Map([['a', 1]])))
await execute(seen)`)
    const planned = await plan(url, ['--from', 'x'], { REGION: 'eu', SOME_TOKEN: 'hush' })
    expect(planned.message).toBeUndefined()
    const seen = planned.functions[0] as unknown[]
    expect(seen.slice(-2)).toEqual([{ when: new Date(3), list: [1n, undefined, -0] }, new Map([['a', 1]])])
    expect(JSON.stringify(planned.programs)).not.toContain('hush')
    // The record travels as JSON between processes.
    const travelled = JSON.parse(JSON.stringify(planned.programs[0])) as ReplayableProgram
    const again = await replay(url, travelled, {}, 'undefined', { REGION: 'us', NOT_SET: 'now it is' })
    expect(again.message).toBeUndefined()
    expect(again.program).toEqual(seen)
  })

  it('resolves relative paths as at planning', async () => {
    const url = module(`import { resolve } from 'node:path'
import { cwd } from 'node:process'
await execute([resolve('data'), process.cwd(), cwd()])`)
    const { program: seen, after } = await replay(
      url,
      program({ workingDirectory: '/planned' }),
      {},
      'process.cwd()',
    )
    expect(seen).toEqual(['/planned/data', '/planned', '/planned'])
    expect(after).toBe(process.cwd())
    expect((await plan(url)).programs[0]?.record.workingDirectory).toBe(process.cwd())
  })

  it('puts the world back when execute is reached, at planning and in replay', async () => {
    const url = module(`const { now } = Date, { random } = Math, environment = process.env
await execute({ early: now() })
globalThis.late = { now: now(), random: random(), region: environment.REGION }`)
    const { programs } = await plan(url)
    const check = `(() => {
      const { writeFileSync } = process.getBuiltinModule('node:fs')
      writeFileSync(${JSON.stringify(join(dir, 'written'))}, '')
      return { native: [Date, Date.now, Math.random, process.getBuiltinModule('node:crypto').randomBytes, Date.prototype.constructor]
          .map(f => Object.is(f, f) && !/on\\(\\)/.test(Function.prototype.toString.call(f))),
        now: Date.now(), dates: new Date().getTime(), secret: process.env.SOME_TOKEN, argv: process.argv.length, late: globalThis.late }
    })()`
    const before = Date.now()
    const { after } = await replay(url, programs[0] as ReplayableProgram, {}, check, { SOME_TOKEN: 'here' })
    expect(after).toMatchObject({ native: [true, true, true, true, true], secret: 'here', late: undefined })
    expect((after as { now: number }).now).toBeGreaterThanOrEqual(before)
    expect((after as { dates: number }).dates).toBeGreaterThanOrEqual(before)
    expect(existsSync(join(dir, 'written'))).toBe(true)
  })

  it('repeats the last reading of the clock, and ends a loop that waits for it', async () => {
    const url = module(
      'await execute([Date.now(), Date.now(), Date.now(), new Date().getTime(), performance.now()])',
    )
    const { program: seen } = await replay(
      url,
      program({ clockReadings: [5, 9], performanceReadings: [1.5] }),
    )
    expect(seen).toEqual([5, 9, 9, 9, 1.5])
    const loop = module(
      'const end = Date.now() + 1000\nwhile (Date.now() < end);\nawait execute({})',
      'loop.mjs',
    )
    expect(await replay(loop, program({ clockReadings: [5] }))).toMatchObject({
      code: 'jobgraph.clock-loop-in-replay',
    })
  })

  const sideEffects: [string, string, string][] = [
    ['rmSync', "import { rmSync } from 'node:fs'", "rmSync(dir + '/precious', { recursive: true })"],
    ['writeFile', "import fs from 'fs'", "fs.promises.writeFile(dir + '/precious', 'x')"],
    ['mkdir', "import { mkdir } from 'node:fs/promises'", "await mkdir(dir + '/sub')"],
    ['openSync', "import * as fs from 'node:fs'", "fs.openSync(dir + '/precious', 'w')"],
    ['open', "import { open } from 'node:fs/promises'", "await open(dir + '/precious', 'r+')"],
    ['createWriteStream', "import fs from 'node:fs'", "fs.createWriteStream(dir + '/precious')"],
    ['execSync', "import { execSync } from 'node:child_process'", "execSync('rm ' + dir + '/precious')"],
    ['spawn', "import { spawn } from 'node:child_process'", "spawn('rm', [dir + '/precious'])"],
    ['fetch', '', "await fetch('http://127.0.0.1:9/')"],
    ['request', "import http from 'node:http'", "http.request('http://127.0.0.1:9/')"],
    ['get', "import { get } from 'node:https'", "get('https://127.0.0.1:9/')"],
    ['connect', "import tls from 'node:tls'", 'tls.connect(9)'],
    ['createConnection', "import { createConnection } from 'node:net'", 'createConnection(9)'],
    ['listen', "import net from 'node:net'", 'net.createServer().listen(0)'],
    ['bind', "import dgram from 'node:dgram'", "dgram.createSocket('udp4').bind(0)"],
  ]
  it.each(sideEffects)('refuses %s and names the line', async (operation, imports, statement) => {
    const precious = join(dir, 'precious')
    writeFileSync(precious, 'data')
    const url = module(`${imports}
const dir = ${JSON.stringify(dir)}
async function prepare() {
  ${statement}
}
await prepare()
await execute({})`)
    const line =
      readFileSync(join(dir, 'job.mjs'), 'utf8')
        .split('\n')
        .findIndex(text => text.includes(`  ${statement}`)) + 1
    const failure = await replay(url, program())
    expect(failure).toMatchObject({ code: 'jobgraph.side-effect-in-replay' })
    expect(failure.message).toContain(`calls ${operation}(`)
    expect(failure.message).toContain(`job.mjs:${line}:`)
    expect(failure.message).toContain("env.capture('name', () => ")
    expect(failure.stack).toContain('prepare')
    expect(readFileSync(precious, 'utf8')).toBe('data')
  })

  it('lets main read files and write to what is open', async () => {
    writeFileSync(join(dir, 'rules.txt'), 'rules')
    const url = module(`import fs, { readFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
const path = ${JSON.stringify(join(dir, 'rules.txt'))}
const handle = await open(path)
const chunks = []
for await (const chunk of fs.createReadStream(path)) chunks.push(String(chunk))
fs.writeSync(2, '')
console.log('')
await execute([readFileSync(path, 'utf8'), await readFile(path, 'utf8'), await handle.readFile('utf8'), chunks.join('')])
`)
    const { program: seen } = await replay(url, program())
    expect(seen).toEqual(['rules', 'rules', 'rules', 'rules'])
  })

  it('does not repeat what main said on the console', async () => {
    const url = module(`const said = []
process.stdout.write = chunk => said.push(String(chunk)) > 0
console.log('read 3 rules')
console.table([1])
process.stdout.write('by hand')
await execute(said)
`)
    const { program: seen } = await replay(url, program())
    expect(seen).toEqual(['by hand'])
  })

  it('loads the runtime before it shows main the recorded world', async () => {
    const runtime = join(dir, 'node_modules/flink-ts')
    mkdirSync(runtime, { recursive: true })
    writeFileSync(join(runtime, 'package.json'), '{"name":"flink-ts","type":"module","exports":"./index.js"}')
    const loads = JSON.stringify(join(dir, 'loaded'))
    const load = `import { writeFileSync } from 'node:fs'\nMath.random(); Date.now(); writeFileSync(${loads}, '')\n`
    writeFileSync(join(runtime, 'index.js'), `${load}export const answer = 42\n`)
    const url = module(
      `import { answer } from 'flink-ts'\nawait execute([answer, Math.random(), Date.now()])`,
    )
    const { program: seen } = await replay(url, program({ randomSeed: 7, clockReadings: [5, 6] }))
    expect(seen).toEqual([42, new SeededRandom(7).next(), 5])
    expect(existsSync(join(dir, 'loaded'))).toBe(true)
  })

  it('names the line of the TypeScript source when the program is a bundle', async () => {
    writeFileSync(join(dir, 'package.json'), '{"name":"p","type":"module"}')
    const entry = join(dir, 'job.ts')
    writeFileSync(
      entry,
      "import { rmSync } from 'node:fs'\n\nenum Kind { A }\n// a comment\nconst target: string = '/nowhere/' + Kind.A\nrmSync(target)\n",
    )
    const { file } = await createBundle({ entry, outFile: join(dir, 'job.tgz') })
    const { moduleUrl } = await extractBundle(file, join(dir, 'out'), { runtimeModuleDirs: {} })
    const failure = await replay(moduleUrl, program())
    expect(failure.message).toMatch(/rmSync\('\/nowhere\/0'\).*job\.ts:6:1/)
  })

  it('settles earlier executes with their recorded results', async () => {
    const url = module(`const first = await execute({ name: 'first' })
const second = await execute({ name: 'second', after: first })
await execute({ name: 'third', after: [first.jobId, second.accumulators.n] })`)
    const { programs, functions } = await plan(url)
    expect(programs.map(p => p.executeIndex)).toEqual([0, 1, 2])
    for (const [index, planned] of programs.entries()) {
      const { program: seen } = await replay(url, planned)
      expect(seen).toEqual(functions[index])
    }
    expect(functions[2]).toEqual({ name: 'third', after: ['job-1', 2] })
  })

  it('of a later execute hears of earlier jobs what main heard, failures included', async () => {
    const url = module(`const heard = []
const caught = async work => { try { heard.push((await work()).jobId) } catch (error) { heard.push(error.message) } }
await caught(() => execute({ name: 'failing' }))
await caught(() => execute({ name: 'refused' }))
await context.executor.execute({ jobId: 'id', name: 'unheard of' }, {})
await caught(() => execute({ name: 'good' }))
await execute({ name: 'last', heard })`)
    const { programs, functions } = await plan(url)
    const last = { name: 'last', heard: ['it failed', 'no slots', 'job-4'] }
    expect(functions[4]).toMatchObject(last)
    expect((await replay(url, programs[4] as ReplayableProgram)).program).toEqual(functions[4])
  })

  it('runs main of which nothing is awaited', async () => {
    const url = module('const main = async () => { await null; await execute({ floating: true }) }\nmain()')
    expect((await replay(url, program())).program).toEqual({ floating: true })
    const failing = module(
      'const main = async () => { await null; throw new Error("floating failure") }\nmain()',
      'f.mjs',
    )
    expect(await replay(failing, program())).toMatchObject({ message: 'floating failure' })
  })

  it('fails with the error of main and its stack', async () => {
    const url = module('function parse() { throw new RangeError("no such region") }\nparse()')
    const failure = await replay(url, program())
    expect(failure.message).toBe('no such region')
    expect(failure.stack).toMatch(/parse \(.*job\.mjs:4:/)
    const syntax = module('const = 1', 'syntax.mjs')
    expect((await replay(syntax, program())).message).toContain('Unexpected token')
  })

  it('says when main ends or hangs before its execute', async () => {
    const ends = module('await execute({})')
    expect(
      await replay(
        ends,
        program({ earlierResults: [{ jobId: 'a', jobName: 'a', netRuntimeMs: 1, accumulators: {} }] }, 1),
        { graceMs: 20 },
      ),
    ).toMatchObject({
      code: 'jobgraph.execute-not-reached',
      message: expect.stringContaining('called env.execute() 1 time(s), but this job is its call number 2'),
    })
    const hangs = module('await new Promise(() => {})\nawait execute({})', 'hangs.mjs')
    expect(await replay(hangs, program(), { timeoutMs: 20 })).toMatchObject({
      code: 'jobgraph.execute-not-reached',
    })
  })

  it('names a capture that planning did not take', async () => {
    const url = module("context.capture('rules', () => 1)\nawait execute({})")
    expect(await replay(url, program({ captures: { rule: 'AA==' } }))).toMatchObject({
      code: 'jobgraph.capture-missing',
      message: expect.stringMatching(/'rules'.*captured: rule\b/),
    })
  })

  it('can follow another one in the same thread, also of the same module', async () => {
    const url = module('await execute({ seen: [Date.now(), context.args] })')
    const other = module('await execute({ other: Math.random() })', 'other.mjs')
    const answer =
      await inThread(`const { program } = await replayProgram(${JSON.stringify(program())}, { moduleUrl: ${JSON.stringify(other)}, configuration: {} })
      const record = ${JSON.stringify(emptyRecord)}
      const all = await Promise.all([1, 2, 3].map(n => replayProgram(
        { executeIndex: 0, code: {}, record: { ...record, args: ['n' + n], clockReadings: [n] } },
        { moduleUrl: ${JSON.stringify(url)}, configuration: {} })))
      return all.map(one => one.program.seen)`)
    expect(answer).toEqual([
      [1, ['n1']],
      [2, ['n2']],
      [3, ['n3']],
    ])
  })
})

describe('a planning run', { timeout: 30_000 }, () => {
  it.each([
    'DB_PASSWORD',
    'GITHUB_TOKEN',
    'AWS_SECRET_ACCESS_KEY',
    'apiKey',
    'SIGNING_KEY',
    'GOOGLE_CREDENTIALS',
  ])('refuses to read %s', async name => {
    const url = module(`const value = process.env[${JSON.stringify(name)}]\nawait execute({ value })`)
    expect(await plan(url, [], { [name]: 'hush' })).toMatchObject({
      code: 'jobgraph.secret-in-environment',
      message: expect.stringMatching(new RegExp(`${name}.*inside open\\(\\)`)),
    })
  })

  it.each(['PWD', 'MONKEY', 'KEYBOARD', 'HOME', 'AUTHOR'])('lets %s through', async name => {
    const url = module(`await execute({ value: process.env.${name} })`)
    const planned = await plan(url, [], { [name]: 'open' })
    expect(planned.programs[0]?.record.environment).toMatchObject({ [name]: 'open' })
  })

  it('may use secrets, files and processes inside a capture and after execute', async () => {
    const url = module(`import { execSync } from 'node:child_process'
const length = context.capture('length', () => process.env.DB_PASSWORD.length)
const shell = context.capture('shell', () => execSync('echo $DB_PASSWORD').length)
execSync('true')
await execute({ length, shell })
globalThis.after = process.env.DB_PASSWORD`)
    const planned = await plan(url, [], { DB_PASSWORD: 'hush' })
    expect(planned.message).toBeUndefined()
    expect(planned.functions[0]).toEqual({ length: 4, shell: 5 })
    expect(JSON.stringify(planned.programs)).not.toContain('hush')
  })

  it('hands out secrets by name: each process reads its own, and none travels', async () => {
    const url = module(`import { hostSecret } from ${RUNTIME}
await execute({ name: 'job', password: hostSecret('DB_PASSWORD') })`)
    const planned = await plan(url, [], { DB_PASSWORD: 'hush' })
    expect(planned.functions[0]).toMatchObject({ password: 'hush' })
    expect(JSON.stringify(planned.programs)).not.toMatch(/hush|DB_PASSWORD/)
    const [program] = planned.programs as [ReplayableProgram]
    const elsewhere = await replay(url, program, {}, 'undefined', { DB_PASSWORD: 'other' })
    expect(elsewhere.program).toMatchObject({ password: 'other' })
    expect(await replay(url, program)).toMatchObject({
      code: 'jobgraph.secret-missing',
      message: expect.stringContaining("env.secret('DB_PASSWORD')"),
    })
  })

  it('refuses two captures of one name and one that was not awaited', async () => {
    const twice = module("context.capture('a', () => 1)\ncontext.capture('a', () => 2)")
    expect(await plan(twice)).toMatchObject({ code: 'jobgraph.capture-duplicate' })
    const pending = module("context.capture('a', async () => 1)\nawait execute({})", 'pending.mjs')
    expect(await plan(pending)).toMatchObject({ code: 'jobgraph.capture-pending' })
  })
})
