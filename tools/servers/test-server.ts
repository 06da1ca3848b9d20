import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const INSTALL_TIMEOUT_MS = 300_000
const SCRIPTS = fileURLToPath(new URL('.', import.meta.url))

/** Servers are downloaded only where that is wanted: in CI, or with `FLINK_TEST_SYSTEM=1`. */
const ALLOWED = process.env['CI'] === 'true' || process.env['FLINK_TEST_SYSTEM'] === '1'

/**
 * Whether the server of a script can be had here: tests that need it are skipped otherwise. Waits for the download. Why
 * it can't be had although it should is said on standard error.
 */
export function hasServer(script: string): boolean {
  if (!ALLOWED) return false
  const { status, stderr, error } = spawnSync(join(SCRIPTS, script), ['install'], {
    encoding: 'utf8',
    timeout: INSTALL_TIMEOUT_MS,
  })
  if (status === 0) return true
  process.stderr.write(`${script} could not be installed: ${error?.message ?? stderr}\n`)
  return false
}

/** A real server, started by a script of `tools/servers/`, with all its files in a folder of its own. */
export class TestServer {
  readonly #script: string
  readonly folder: string
  /** What the script printed. */
  readonly addresses: readonly string[]

  private constructor(script: string, folder: string, addresses: readonly string[]) {
    this.#script = script
    this.folder = folder
    this.addresses = addresses
  }

  /** @param args after the folder, as the script says */
  static async start(script: string, ...args: readonly string[]): Promise<TestServer> {
    const folder = await mkdtemp(join(tmpdir(), 'flink-server-'))
    try {
      return new TestServer(
        script,
        folder,
        (await execute(script, ['start', folder, ...args])).trim().split(/\s+/),
      )
    } catch (error) {
      await execute(script, ['stop', folder])
      await rm(folder, { recursive: true, force: true })
      throw error
    }
  }

  get address(): string {
    return this.addresses[0] as string
  }

  run(...args: string[]): Promise<string> {
    return execute(this.#script, [...args, this.folder])
  }

  async stop(): Promise<void> {
    await execute(this.#script, ['stop', this.folder])
    await rm(this.folder, { recursive: true, force: true })
  }
}

function execute(script: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(SCRIPTS, script), args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FLINK_NODE: process.execPath },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (data: string) => (stdout += data))
    child.stderr.setEncoding('utf8').on('data', (data: string) => (stderr += data))
    child.on('error', reject)
    // Not `close`: servers that were started may keep the pipes.
    child.on('exit', code => {
      if (code === 0) resolve(stdout)
      else reject(new Error(`${script} ${args.join(' ')} ended with ${code}: ${stderr}`))
    })
  })
}
