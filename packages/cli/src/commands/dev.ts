import { type ChildProcess, spawn } from 'node:child_process'
import { type FSWatcher, statSync, watch } from 'node:fs'
import { dirname, relative } from 'node:path'
import { Configuration, checkKeys } from '@flink-ts/common'
import { parseDynamicProperties } from '@flink-ts/common/configuration-file'
import { findProgramFiles, LOCAL_SETTINGS_VARIABLE } from '@flink-ts/jobgraph'
import { formatElapsed, formatError, formatTimeOfDay } from '../format.ts'
import { settingsConfiguration } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface DevOptions {
  /** `-D` arguments. */
  readonly property: readonly string[]
  readonly parallelism?: number
}

/** Editors write a file in several steps, and several files one after the other. */
const SETTLE_MS = 100
/** After which a program that does not end by SIGTERM is killed. */
const STOP_TIMEOUT_MS = 3000

/**
 * `flink dev job.ts args...`: runs a program in a process of its own, on a cluster inside that process, and again
 * whenever one of its sources changes. Errors are shown, and the next change waited for; only a signal ends it.
 */
export async function devCommand(
  job: string,
  args: readonly string[],
  options: DevOptions,
  terminal: Terminal,
): Promise<void> {
  const settings = Configuration.of(parseDynamicProperties(options.property), '-D').with(
    settingsConfiguration(options),
  )
  for (const { message } of checkKeys(settings)) terminal.complain(`warning: ${message}`)
  const loop = new DevLoop(job, args, settings, terminal)
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    // Never rejects.
    process.once(signal, () => void loop.close().then(() => process.exit(code)))
  }
  await loop.start()
}

/** Owner: main thread. Runs do not overlap: the next one waits for the end of the last. */
class DevLoop {
  readonly #job: string
  readonly #args: readonly string[]
  readonly #env: NodeJS.ProcessEnv
  readonly #terminal: Terminal
  #watchers: readonly FSWatcher[] = []
  /** Sources of the last run, and how they looked then. */
  #files: readonly string[] = []
  #seen = ''
  /** The last run could not compile the program: any file that comes may be the missing one. */
  #broken = false
  #child: ChildProcess | undefined
  #settling: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()
  #closed = false

  constructor(job: string, args: readonly string[], settings: Configuration, terminal: Terminal) {
    this.#job = job
    this.#args = args
    const given = settings.toRecord()
    this.#env =
      Object.keys(given).length === 0
        ? process.env
        : { ...process.env, [LOCAL_SETTINGS_VARIABLE]: JSON.stringify(given) }
    this.#terminal = terminal
  }

  /** Rejects if there is no program to begin with. */
  async start(): Promise<void> {
    await this.#run()
  }

  /** Ends the program. Never rejects. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#settling)
    for (const watcher of this.#watchers) watcher.close()
    await this.#stopChild()
  }

  async #run(): Promise<void> {
    await this.#stopChild()
    if (this.#closed) return
    if (process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[3J\u001b[H')
    const { files, error } = await findProgramFiles(this.#job)
    this.#watch(files)
    this.#seen = looksOf(files)
    this.#broken = error !== undefined
    if (this.#closed) return
    if (error === undefined) {
      this.#spawn()
      return
    }
    this.#terminal.complain(formatError(error))
    this.#tellWaiting(`${this.#job} was not run`)
  }

  #spawn(): void {
    const startedMs = performance.now()
    this.#terminal.complain(`[${formatTimeOfDay(Date.now())}] ${this.#job} runs`)
    const child = spawn(process.execPath, [...process.execArgv, this.#job, ...this.#args], {
      stdio: 'inherit',
      env: this.#env,
    })
    this.#child = child
    child.once('error', error => this.#tellWaiting(`${this.#job} could not be started: ${error.message}`))
    child.once('exit', (code, signal) => {
      // Stopped for the next run.
      if (this.#child !== child) return
      this.#child = undefined
      const elapsed = formatElapsed(performance.now() - startedMs)
      const how = code === 0 ? 'ended' : `failed (${signal ?? `exit code ${code}`})`
      this.#tellWaiting(`${this.#job} ${how} after ${elapsed}`)
    })
  }

  #tellWaiting(what: string): void {
    const files = this.#files.length === 1 ? 'its file' : `one of its ${this.#files.length} files`
    this.#terminal.complain(
      `[${formatTimeOfDay(Date.now())}] ${what}. It runs again when ${files} changes; Ctrl-C ends this.`,
    )
  }

  /** Folders, since many editors put a new file in the place of the old one. */
  #watch(files: readonly string[]): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#files = files
    const folders = [...new Set(files.map(file => dirname(file)))]
    this.#watchers = folders.map(folder => {
      const watcher = watch(folder, () => this.#changed())
      // The folder itself is gone: a change as any other.
      watcher.on('error', () => this.#changed())
      return watcher
    })
  }

  #changed(): void {
    if (this.#closed) return
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => {
      if (!this.#broken && looksOf(this.#files) === this.#seen) return
      this.#running = this.#running.then(() =>
        this.#run().catch((error: unknown) => {
          // The program itself is gone for a moment, or esbuild: the next change tells.
          this.#broken = true
          this.#terminal.complain(formatError(error))
        }),
      )
    }, SETTLE_MS)
  }

  /** Never rejects. */
  async #stopChild(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    this.#child = undefined
    const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
    await exited
    clearTimeout(timer)
  }
}

/** Sizes and times of files: another text when one of them has changed, come or gone. */
function looksOf(files: readonly string[]): string {
  return files
    .map(file => {
      const stat = statSync(file, { throwIfNoEntry: false })
      return `${relative('.', file)} ${stat?.mtimeMs} ${stat?.size}`
    })
    .join('\n')
}
