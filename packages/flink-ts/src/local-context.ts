import { availableParallelism } from 'node:os'
import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import {
  createPlanningContext,
  currentExecutionContext,
  type ExecutionContext,
  LOCAL_SETTINGS_VARIABLE,
  type PipelineExecutor,
  type ReplayRecord,
  setDefaultExecutionContext,
  startPlanningRecorder,
} from '@flink-ts/jobgraph'
import { ExitBeforeJobEnded, NoJobExecuted } from './errors.ts'
import { OpenJobs } from './open-jobs.ts'

/**
 * Makes `node job.ts` without a cluster run on a MiniCluster in this process: the context for programs that nobody
 * else evaluates. What main reads of the clock, randomness and environment is recorded from the import of this package
 * on, so that replays in the slot threads see the same.
 */
export function registerLocalContext(): void {
  setDefaultExecutionContext(localContext)
  const script = process.argv[1]
  if (!isMainThread || !isUserProgram(script)) return
  // Now, not at the first use: main may look at the clock before.
  currentExecutionContext()
  process.once('beforeExit', () => {
    if (!environmentWasMade || executeWasCalled) return
    process.stderr.write(`${NoJobExecuted({ program: script }).message}\n`)
    process.exitCode = 1
  })
  process.once('exit', code => {
    const unfinished = openJobs.unfinished()
    if (code !== 0 || unfinished === undefined) return
    process.stderr.write(`${ExitBeforeJobEnded({ program: script, ...unfinished }).message}\n`)
    process.exitCode = 1
  })
}

/** Test runners and other tools are installed packages: what they read is nobody's program. */
function isUserProgram(script: string | undefined): script is string {
  return script !== undefined && !script.split(sep).includes('node_modules')
}

// What main did with the context. Owner: the main thread.
let environmentWasMade = false
let executeWasCalled = false
const openJobs = new OpenJobs()

function localContext(): ExecutionContext {
  const args = process.argv.slice(2)
  const mainModuleUrl = pathToFileURL(process.argv[1] ?? '').href
  const configuration = {
    'parallelism.default': String(availableParallelism()),
    'pipeline.check-records': 'true',
    ...settingsOfCommand(),
  }
  const records = new Map<number, ReplayRecord>()
  let executor: PipelineExecutor | undefined
  const context = createPlanningContext(
    { args, configuration, code: { type: 'module', url: mainModuleUrl } },
    {
      recorder: startPlanningRecorder({ args }),
      async submit(graph, program, functions, target) {
        executeWasCalled = true
        records.set(program.executeIndex, program.record)
        if (target?.type === 'remote') {
          return openJobs.watch(graph.name, 'submission', async () => {
            const { submitRemotely } = await import('./submit-remotely.ts')
            return submitRemotely(target, mainModuleUrl, graph, program)
          })
        }
        return openJobs.watch(graph.name, 'end', async () => {
          // Only programs that run locally load the cluster.
          const { createLocalExecutor } = await import('@flink-ts/cluster')
          executor ??= createLocalExecutor({
            mainModuleUrl,
            args,
            configuration,
            record: executeIndex => {
              const record = records.get(executeIndex)
              if (record === undefined) throw new RangeError(`No job number ${executeIndex} was executed`)
              return record
            },
          })
          return executor.execute(graph, functions, target)
        })
      },
    },
  )
  return {
    ...context,
    // Read when an environment is made, and by nobody else.
    get configuration() {
      environmentWasMade = true
      return configuration
    },
  }
}

/** What `flink dev -p -D` says. The variable is not the program's, nor that of processes which it starts. */
function settingsOfCommand(): Readonly<Record<string, string>> {
  const given = process.env[LOCAL_SETTINGS_VARIABLE]
  delete process.env[LOCAL_SETTINGS_VARIABLE]
  return given === undefined ? {} : (JSON.parse(given) as Readonly<Record<string, string>>)
}
