import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Configuration } from '@flink-ts/common'
import { createBundle } from '../bundle/create-bundle.ts'
import { extractBundle } from '../bundle/extract-bundle.ts'
import { findRuntimeModuleDirs } from '../bundle/runtime-modules.ts'
import { EntryOfBundleFixed } from '../errors.ts'
import type { JobGraph } from '../graph/job-graph.ts'
import {
  type ExecutionContext,
  type ExecutionTarget,
  installExecutionContext,
  type JobClient,
} from './pipeline-executor.ts'
import { createPlanningContext } from './planning-context.ts'
import { type PlanningRecorder, startPlanningRecorder } from './planning-recorder.ts'
import { preloadRuntime } from './preload-runtime.ts'
import type { ReplayableProgram } from './program.ts'
import { looksLikeSecret } from './recorded-environment.ts'

/** A program that is to be planned. */
export interface ProgramOptions {
  /** Its file, or a bundle. */
  readonly job: string
  readonly args: readonly string[]
  readonly configuration: Configuration
  /** An export of the program that is its main; undefined: the file itself is. */
  readonly entryFunction?: string | undefined
}

/**
 * What `execute` of the program does with the graph.
 * @param target where the program itself wants it to run; undefined: it leaves that open
 */
export type SubmitJob = (
  bundleFile: string,
  graph: JobGraph,
  program: ReplayableProgram,
  target: ExecutionTarget | undefined,
) => Promise<JobClient>

/**
 * A program whose main runs in this process, to plan its jobs. What runs is the code of its bundle, so that replays run
 * the same. Once for a process: it replaces globals.
 */
export class PlannedProgram {
  readonly #options: ProgramOptions
  readonly #runtimeModuleDirs = findRuntimeModuleDirs()
  readonly #startPlanning: ReturnType<typeof loadRuntime>

  /** Begins to load the runtime. Nothing of the program runs yet. */
  constructor(options: ProgramOptions) {
    this.#options = options
    this.#startPlanning = loadRuntime(this.#runtimeModuleDirs['flink-ts'], options.args)
  }

  /** Bundles the program and evaluates main; resolves when its last line was reached. Rejects as main does. */
  async evaluate(submit: SubmitJob): Promise<void> {
    const { job, args, configuration, entryFunction } = this.#options
    const temporary = temporaryFolder()
    const entry = resolve(job)
    const isBundle = /\.(tgz|tar\.gz)$/.test(entry)
    if (isBundle && entryFunction !== undefined) throw EntryOfBundleFixed({ bundle: job, entryFunction })
    const made = isBundle
      ? undefined
      : await createBundle({ entry, outFile: join(temporary, 'job.tgz'), entryFunction })
    const bundleFile = made?.file ?? entry
    const runtimeModuleDirs = this.#runtimeModuleDirs
    const { moduleUrl } = await extractBundle(bundleFile, join(temporary, 'job'), { runtimeModuleDirs })
    if (made !== undefined) nameSources(moduleUrl, made.sourceRoot)
    process.setSourceMapsEnabled(true)
    process.argv = [process.argv[0] as string, entry, ...args]
    const recorder = await this.#startPlanning(moduleUrl, recorder =>
      createPlanningContext(
        { args, configuration: travelling(configuration), code: { type: 'bundle', blobKey: '' } },
        {
          recorder,
          submit: (graph, program, _functions, target) => submit(bundleFile, graph, program, target),
        },
      ),
    )
    try {
      await import(moduleUrl)
    } finally {
      recorder.stop()
    }
  }
}

/** Makes stacks name the files of the user, not those that the bundle would have in its temporary folder. */
function nameSources(moduleUrl: string, sourceRoot: string): void {
  const map = `${fileURLToPath(moduleUrl)}.map`
  const content = JSON.parse(readFileSync(map, 'utf8')) as object
  writeFileSync(map, JSON.stringify({ ...content, sourceRoot: `${pathToFileURL(sourceRoot).href}/` }))
}

/** Removed when the process ends, in whatever way but SIGKILL. */
function temporaryFolder(): string {
  const temporary = mkdtempSync(join(tmpdir(), 'flink-run-'))
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
  // Without a listener these end the process without its 'exit'. A program may have listeners that do something else.
  for (const [signal, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(exitCode)
    })
  }
  return temporary
}

/**
 * Begins to load the runtime, unobserved. The answer starts the recording, in the context that `contextOf` makes, as
 * soon as the runtime of the program at `moduleUrl` is there.
 * @param runtimeDir folder of the package flink-ts; undefined: not known before the program is
 */
function loadRuntime(
  runtimeDir: string | undefined,
  args: readonly string[],
): (
  moduleUrl: string,
  contextOf: (recorder: PlanningRecorder) => ExecutionContext,
) => Promise<PlanningRecorder> {
  let context: ExecutionContext | undefined
  const current = (): ExecutionContext => {
    if (context === undefined) throw new Error('The program is not started yet')
    return context
  }
  // The runtime must find a context while it loads, or it would take this process for that of a local program.
  installExecutionContext({
    mode: 'planning',
    args,
    configuration: {},
    capture: (name, read) => current().capture(name, read),
    executor: { execute: (graph, functions) => current().executor.execute(graph, functions) },
  })
  const early =
    runtimeDir === undefined
      ? Promise.resolve()
      : preloadRuntime(pathToFileURL(join(runtimeDir, 'package.json')).href)
  early.catch(() => {}) // A runtime that does not load fails again below, or its loss is of no interest any more.
  return async (moduleUrl, contextOf) => {
    await early
    await preloadRuntime(moduleUrl)
    const recorder = startPlanningRecorder({ args })
    context = contextOf(recorder)
    installExecutionContext(context)
    return recorder
  }
}

/** The configuration as the replays get it. Secrets stay here: the processes of the cluster have their own. */
function travelling(configuration: Configuration): Record<string, string> {
  return Object.fromEntries(Object.entries(configuration.toRecord()).filter(([key]) => !looksLikeSecret(key)))
}
