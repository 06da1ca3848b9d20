import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NoJobManager } from '@flink-ts/client'
import { ConnectionRefused } from '@flink-ts/rpc'
import type { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Commands, commandLine, runCli } from './cli.ts'
import { EXIT_CODES, EXIT_CODES_HELP } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cli-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function recorded() {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    print: line => out.push(line),
    complain: line => err.push(line),
    showStatus: () => {},
    interactive: false,
  }
  return { terminal, out, err }
}

/** The command line with commands that only note how they were called. */
async function parse(...args: string[]) {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    async (...given: unknown[]): Promise<void> => {
      calls.push([name, ...given.slice(0, -1)])
    }
  const commands = {
    run: note('run'),
    list: note('list'),
    cancel: note('cancel'),
    bundle: note('bundle'),
    dev: note('dev'),
    info: note('info'),
    explain: note('explain'),
    doctor: note('doctor'),
  } as unknown as Commands
  const { terminal, out, err } = recorded()
  return { code: await runCli(args, terminal, commands), calls, out: out.join('\n'), err: err.join('\n') }
}

describe('the command line', () => {
  it('parts its own options from those of the program', async () => {
    const args = [
      'run',
      '-d',
      '-p',
      '4',
      '-Da=b',
      '-D',
      'c=d',
      '-s',
      '/sp',
      '-n',
      'job.ts',
      '-p',
      '7',
      '--output',
      'x',
      '-d',
      '--',
      'y',
    ]
    expect((await parse(...args)).calls).toEqual([
      [
        'run',
        'job.ts',
        ['-p', '7', '--output', 'x', '-d', '--', 'y'],
        {
          detached: true,
          parallelism: 4,
          property: ['a=b', 'c=d'],
          fromSavepoint: '/sp',
          allowNonRestoredState: true,
        },
      ],
    ])
  })

  it('knows the other commands', async () => {
    expect((await parse('list')).calls).toEqual([['list', { property: [] }]])
    expect((await parse('list', '-a', '--json', '-m', 'host:1')).calls).toEqual([
      ['list', { all: true, json: true, jobmanager: 'host:1', property: [] }],
    ])
    expect((await parse('cancel', 'abc', '-D', 'x=1')).calls).toEqual([
      ['cancel', 'abc', { property: ['x=1'] }],
    ])
    expect((await parse('dev', '-p', '3', '-Da=b', 'job.ts', '-p', '2')).calls).toEqual([
      ['dev', 'job.ts', ['-p', '2'], { parallelism: 3, property: ['a=b'] }],
    ])
    expect((await parse('bundle', 'job.ts', '-o', 'a.tgz')).calls).toEqual([
      ['bundle', 'job.ts', { output: 'a.tgz' }],
    ])
  })

  it('cancel -s takes the id of a job for that, and not for a directory', async () => {
    const jobId = 'a1'.repeat(16)
    const calls = async (...args: string[]) => (await parse('cancel', ...args)).calls
    const plain = [['cancel', jobId, { withSavepoint: true, property: [] }]]
    expect(await calls('-s', jobId)).toEqual(plain)
    expect(await calls(jobId, '-s')).toEqual(plain)
    expect(await calls('-s', '/backup', jobId)).toEqual([
      ['cancel', jobId, { withSavepoint: '/backup', property: [] }],
    ])
    const other = 'b2'.repeat(16)
    expect(await calls('-s', other, jobId)).toEqual([
      ['cancel', jobId, { withSavepoint: other, property: [] }],
    ])
    expect(await calls('-m', 'host:1', '-s', jobId)).toEqual([
      ['cancel', jobId, { withSavepoint: true, jobmanager: 'host:1', property: [] }],
    ])
  })

  it('prints version and help, with the exit codes', async () => {
    expect(await parse('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^flink-ts \d+\.\d+\.\d+$/),
    })
    for (const args of [['--help'], ['run', '--help']]) {
      const { code, out } = await parse(...args)
      expect(code).toBe(0)
      expect(out).toMatch(/Exit codes:\n\s+0 .*\n\s+1 .*\n\s+2 .*\n\s+3 .*\n\s+130 /)
    }
  })

  it.each([
    [[]],
    [['fly']],
    [['run']],
    [['run', '-p', '0', 'job.ts']],
    [['run', '-p', 'many', 'job.ts']],
    [['run', '--unknown', 'job.ts']],
    [['run', '-s', '-d', 'job.ts']],
    [['run', '-s', 'job.ts']],
    [['run', '--from', '-p', '2', 'job.ts']],
    [['run', '-c', 'job.ts']],
    [['cancel']],
    [['cancel', 'a', 'b']],
    [['bundle', 'job.ts']],
    [['list', 'surplus']],
  ])('exits with 2 on %j and says why', async args => {
    const { code, calls, err } = await parse(...args)
    expect(code).toBe(2)
    expect(calls).toEqual([])
    expect(err).not.toBe('')
  })

  it("takes Flink's short names of several letters, but not those of the program", async () => {
    expect((await parse('run', '-p', '2', '-sae', 'job.ts', '-sae')).calls).toEqual([
      ['run', 'job.ts', ['-sae'], { parallelism: 2, shutdownOnAttachedExit: true, property: [] }],
    ])
    const options = { from: 'latest', claimMode: 'claim', shutdownOnAttachedExit: true, property: [] }
    expect((await parse('run', '--from', 'latest', '-cm', 'claim', '-sae', 'job.ts')).calls).toEqual([
      ['run', 'job.ts', [], options],
    ])
  })

  it('is described in the reference: all commands, options and exit codes', async () => {
    const page = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8')
    const sections = new Map(page.split(/^## /m).map(section => [section.split('\n')[0], section]))
    const program = commandLine(recorded().terminal, {} as Commands)
    // Some do something themselves and have others below them.
    const leaves = program.commands.flatMap(command => [
      ...(command.commands.length === 0 || command.registeredArguments.length > 0 ? [command] : []),
      ...command.commands,
    ])
    const nameOf = (command: Command): string =>
      command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`
    expect([...sections.keys()].filter(title => title?.startsWith('flink '))).toEqual(
      leaves.map(command => `flink ${nameOf(command)}`),
    )
    for (const command of leaves) {
      const documented = [...(sections.get(`flink ${nameOf(command)}`) ?? '').matchAll(/^\| `([^`]*)` /gm)]
      expect(
        documented.map(match => match[1]),
        nameOf(command),
      ).toEqual(command.options.map(o => o.flags))
    }
    const codes = [...(sections.get('Exit codes') ?? '').matchAll(/^\| (\d+) /gm)].map(match =>
      Number(match[1]),
    )
    expect(codes).toEqual(Object.values(EXIT_CODES))
    for (const code of codes) expect(EXIT_CODES_HELP).toMatch(new RegExp(`^  ${code} `, 'm'))
  })

  it('has its help on one screen', () => {
    const program = commandLine(recorded().terminal, {} as Commands)
    expect(`${program.helpInformation()}${EXIT_CODES_HELP}`.split('\n').length).toBeLessThanOrEqual(40)
  })

  it('turns errors into exit codes', async () => {
    const failing = async (error: unknown) => {
      const { terminal, err } = recorded()
      const fail = () => Promise.reject(error)
      const code = await runCli(['list'], terminal, { list: fail } as unknown as Commands)
      return { code, err: err.join('\n') }
    }
    const user = new RangeError('bad record')
    user.stack = 'RangeError: bad record\n    at parse (/home/me/job.ts:7:3)'
    expect(await failing(user)).toEqual({ code: 1, err: user.stack })
    const noCluster = await failing(NoJobManager({ address: 'x:1', waitedMs: 5, reason: 'refused' }))
    expect(noCluster.code).toBe(3)
    expect(noCluster.err).toMatch(/^No JobManager answers at x:1 .*\[client\.no-jobmanager\]$/)
    const cause = ConnectionRefused({ address: 'x:1', endpoint: 'dispatcher', reason: 'ECONNREFUSED' })
    const repeating = NoJobManager({ address: 'x:1', waitedMs: 5, reason: cause.message }, cause)
    expect((await failing(repeating)).err).not.toContain('Caused by')
    const wrapped = await failing(new Error('outer', { cause: user }))
    expect(wrapped.err).toMatch(/Error: outer[\s\S]*\nCaused by: RangeError: bad record/)
    expect(await failing('text')).toEqual({ code: 1, err: 'text' })
  })
})

// The real thing, as a process of its own.
const MAIN = fileURLToPath(new URL('./cli-main.ts', import.meta.url))

async function flink(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--conditions=@flink-ts/source', MAIN, ...args], {
    env: { ...process.env, TMPDIR: join(dir, 'tmp'), FLINK_CONF_DIR: '', ...env },
    cwd: dir,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  return { code, stdout, stderr }
}

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('the process', { timeout: 30_000 }, () => {
  beforeEach(() => mkdirSync(join(dir, 'tmp')))

  it('exits with 3 without a cluster, before anything of the program runs', async () => {
    const marker = join(dir, 'ran')
    const job = join(dir, 'job.mjs')
    writeFileSync(
      job,
      `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(marker)}, '')\n`,
    )
    const { code, stderr } = await flink(['run', '-m', `127.0.0.1:${await closedPort()}`, job])
    expect(stderr).toContain('No JobManager answers at 127.0.0.1:')
    expect(stderr).toContain('bin/start-cluster.sh')
    expect(code).toBe(3)
    expect(existsSync(marker)).toBe(false)
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })

  it('exits with 2 on a broken configuration and names its line', async () => {
    writeFileSync(join(dir, 'flink-conf.yaml'), 'a: 1\na: 2\n')
    const { code, stderr } = await flink(['list'], { FLINK_CONF_DIR: dir })
    expect(stderr).toContain(`${join(dir, 'flink-conf.yaml')}:2:`)
    expect(code).toBe(2)
    const missing = await flink(['list'], { FLINK_CONF_DIR: join(dir, 'gone') })
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('FLINK_CONF_DIR') })
    const badOption = await flink(['list', '-Djobmanager.rpc.port=high'])
    expect(badOption).toMatchObject({ code: 2, stderr: expect.stringContaining('jobmanager.rpc.port') })
  })

  it('explains keys: what they mean, what is set, what was meant', async () => {
    writeFileSync(join(dir, 'flink-conf.yaml'), 'rest.port: 9\nmy.password: hush\nweb.prot: 1\n')
    const env = { FLINK_CONF_DIR: dir }
    const port = await flink(['config', 'explain', 'web.port'], env)
    const file = join(dir, 'flink-conf.yaml')
    expect(port.stderr).toBe(
      `warning: my.password (${file}) is no known key: remove it.\n` +
        `warning: web.prot (${file}) is no known key: did you mean web.port?\n`,
    )
    const rest = await flink(['config', 'explain', 'rest.port'], env)
    expect(rest.stdout).toMatch(
      /^rest\.port\n {2}\S.*\n {2}Value: a whole number from 0 to 65535\n {2}Default: 8081\n/,
    )
    expect(rest.stdout).toContain(`Set here: 9 (${join(dir, 'flink-conf.yaml')})`)
    const unknown = await flink(['config', 'explain', 'hobmanager.rpc.address'], env)
    expect(unknown).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean jobmanager.rpc.address?'),
    })
    const without = await flink(['config', 'explain', 'akka.log.lifecycle.events', '--json'], env)
    expect(JSON.parse(without.stdout)).toMatchObject({
      kind: 'without-effect',
      reason: expect.stringContaining('gRPC'),
    })
    const all = await flink(['config', 'explain'], env)
    expect(all.stdout).toMatch(/my\.password +\*{6} /)
    expect(all.stdout).not.toContain('hush')
  })

  it('prints the plan of a program without a cluster and without running what follows', async () => {
    const job = join(dir, 'job.ts')
    writeFileSync(
      job,
      `const context = (globalThis as any)[Symbol.for('flink-ts.execution-context')]
const operators = [{ nodeId: 1, name: 'x', kind: 'map', uid: 'u' }]
const vertex = (id: string, parallelism: number) => ({ id, name: id, parallelism, maxParallelism: 128, slotSharingGroup: 'default', operators })
const graph = { jobId: 'j', name: context.args[0], vertices: [vertex('sink', 1), vertex('source', Number(context.configuration['parallelism.default']))], edges: [{ edgeId: 0, source: 'source', target: 'sink', partitioning: 'hash' }] }
await (await context.executor.execute(graph, {})).result()
console.log('never')
`,
    )
    const text = await flink(['info', '-p', '3', job, 'delays'])
    expect(text).toEqual({
      code: 0,
      stderr: '',
      stdout: `delays: 2 vertices, 3 slots, highest parallelism 3
(1) source  [parallelism 3]
     \u2514\u2500 hash \u2500\u25b6 (2)
(2) sink  [parallelism 1]
`,
    })
    const json = JSON.parse((await flink(['info', '--json', '-p', '3', job, 'delays'])).stdout)
    expect(json.plan.nodes.map((node: { id: string; inputs: unknown[] }) => [node.id, node.inputs])).toEqual([
      ['source', []],
      ['sink', [{ num: 0, id: 'source', ship_strategy: 'HASH' }]],
    ])
    writeFileSync(job, 'export {}\n')
    expect(await flink(['info', job])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('env.execute()'),
    })
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })

  it('doctor names what is wrong, with a remedy, and exits with 1', async () => {
    writeFileSync(join(dir, 'file'), '')
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    writeFileSync(
      join(dir, 'flink-conf.yaml'),
      `jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: ${await closedPort()}
rest.port: ${port}
execution.checkpointing.dir: file://${dir}/file/checkpoints
io.tmp.dirs: ${dir}/new/folder
hobmanager.rpc.address: x
taskmanager.numberOfTaskSlots: 500
`,
    )
    writeFileSync(join(dir, 'config.yaml'), 'a: 1\n')
    const { code, stdout } = await flink(['doctor', '--json'], { FLINK_CONF_DIR: dir })
    server.close()
    expect(code).toBe(1)
    const findings = JSON.parse(stdout) as { level: string; about: string; text: string; remedy?: string }[]
    const of = (level: string) => findings.filter(finding => finding.level === level)
    expect(of('problem').map(finding => finding.text)).toEqual([
      expect.stringContaining('did you mean jobmanager.rpc.address?'),
      `${dir}/file is no folder.`,
      `127.0.0.1:${port} is taken by another program.`,
    ])
    expect(of('warning').map(finding => finding.text)).toEqual([
      expect.stringContaining('config.yaml is not read'),
      expect.stringContaining('taskmanager.numberOfTaskSlots is 500'),
      expect.stringContaining('No JobManager answers'),
    ])
    for (const { level, about, remedy } of findings) {
      if (level !== 'ok' && about !== 'configuration') expect(remedy, about).toMatch(/\w/)
    }
    expect(existsSync(join(dir, 'new'))).toBe(false)
    const wrong = await flink(['doctor', '-Drest.port=many'], { FLINK_CONF_DIR: dir })
    expect(wrong.stdout).toMatch(/PROBLEM {2}configuration: 'many' is no valid value of rest\.port/)
  })

  it('completes in bash', async () => {
    const { stdout } = await flink(['completion'])
    const complete = (...words: string[]): string[] => {
      const line = `COMP_WORDS=(${words.join(' ')} ''); COMP_CWORD=${words.length}; _flink; echo "\${COMPREPLY[@]}"`
      return execFileSync('bash', ['-c', `${stdout}\n${line}`], { encoding: 'utf8' })
        .trim()
        .split(' ')
    }
    expect(complete('flink')).toEqual(expect.arrayContaining(['run', 'doctor', '--help']))
    expect(complete('flink', 'run')).toEqual(expect.arrayContaining(['--parallelism', '-d']))
    expect(complete('flink', 'config')).toContain('explain')
  })

  it('exits with 2 on what is no job id', async () => {
    expect(await flink(['cancel', 'mine'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'mine'"),
    })
  })

  it('makes bundles, and names file and line of what is wrong in a program', async () => {
    const job = join(dir, 'job.ts')
    writeFileSync(job, 'export const x: number = 1\n')
    const output = join(dir, 'out/job.tgz')
    const made = await flink(['bundle', job, '-o', output])
    expect(made).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/SHA-256 [0-9a-f]{64}/) })
    expect(existsSync(output)).toBe(true)
    writeFileSync(job, 'const x = = 1\n')
    const broken = await flink(['bundle', job, '-o', output])
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining(`${job}:1:11:`) })
    const gone = await flink(['bundle', join(dir, 'gone.ts'), '-o', output])
    expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no such file') })
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })
})
