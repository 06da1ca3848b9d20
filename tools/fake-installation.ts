// An installation in a temporary folder, whose programs only note how they were started: for tests of scripts.
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const program = `
import { rmSync, writeFileSync } from 'node:fs'
const { FLINK_STARTING_FILE, FLINK_LOG_FILE = '', FLINK_CONF_DIR } = process.env
if (process.argv.includes('-Dstubborn=true')) process.on('SIGTERM', () => {})
for (const signal of process.argv.includes('-Dtell=true') ? ['SIGTERM', 'SIGUSR2'] : [])
  process.on(signal, () => { console.log(signal); process.exit(0) })
const { pid } = process
console.log(JSON.stringify({ args: process.argv.slice(2), execArgv: process.execArgv, FLINK_CONF_DIR, pid }))
if (process.argv.includes('-Dfail=true')) process.exit(3)
if (FLINK_STARTING_FILE) rmSync(FLINK_STARTING_FILE)
if (FLINK_LOG_FILE) writeFileSync(FLINK_LOG_FILE, 'started ' + process.pid)
if (!process.argv.includes('-Dbrief=true')) setInterval(() => {}, 1000)
`

/** Makes an installation and answers its folder. */
export function install(): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'flink-bin-')))
  for (const folder of ['bin', 'conf', 'docker']) cpSync(folder, join(root, folder), { recursive: true })
  const mains = ['jobmanager-main', 'taskmanager-main'].map(
    name => `packages/cluster/dist/entrypoint/${name}.js`,
  )
  for (const path of [...mains, 'packages/cli/dist/cli-main.js']) {
    mkdirSync(join(root, path, '..'), { recursive: true })
    writeFileSync(join(root, path), program)
  }
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
  return root
}

export interface Result {
  readonly code: number | null
  /** Standard output and standard error, as they came. */
  readonly out: string
}

/** Runs a script with this Node and a clean environment. `signal` ends it with all that it has started. */
export async function execute(
  path: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<Result> {
  const child = spawn(path, args, {
    env: { PATH: process.env['PATH'], USER: 'me', FLINK_NODE: process.execPath, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: npm, say, does not pass signals on.
    detached: signal !== undefined,
  })
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  signal?.addEventListener('abort', end)
  let out = ''
  child.stdout.setEncoding('utf8').on('data', data => (out += data))
  child.stderr.setEncoding('utf8').on('data', data => (out += data))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  signal?.removeEventListener('abort', end)
  return { code, out }
}
