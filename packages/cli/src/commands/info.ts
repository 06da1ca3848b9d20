import { type JobClient, PlannedProgram } from '@flink-ts/jobgraph'
import { NoJobExecuted, TargetGivenTwice } from '../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { planAsJson, planAsText } from '../plan.ts'
import { configurationFor, settingsConfiguration } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import type { RunProcess } from './run.ts'

export interface InfoOptions {
  /** `-D` arguments. */
  readonly property: readonly string[]
  readonly parallelism?: number
  readonly json?: boolean
  /** An export of the program that is its main. */
  readonly entry?: string
}

/**
 * `flink info job.ts args...`: runs main up to its first `execute`, prints the plan of that job and ends the process.
 * Needs no cluster; nothing is submitted.
 */
export async function infoCommand(
  job: string,
  args: readonly string[],
  options: InfoOptions,
  terminal: Terminal,
  infoProcess: RunProcess = process,
): Promise<void> {
  const configuration = configurationFor(options, terminal).with(settingsConfiguration(options))
  let planned = false
  const program = new PlannedProgram({ job, args, configuration, entryFunction: options.entry })
  process.once('beforeExit', () => {
    if (planned) return
    terminal.complain(NoJobExecuted({ program: job }).message)
    process.exitCode = EXIT_CODES.failed
  })
  await program.evaluate((_bundleFile, graph, _program, target): Promise<JobClient> => {
    if (target !== undefined) throw TargetGivenTwice({ target: target.type })
    planned = true
    if (options.json === true) terminal.print(JSON.stringify(planAsJson(graph), null, 2))
    else for (const line of planAsText(graph)) terminal.print(line)
    // Code behind execute expects a result, and there is none.
    return infoProcess.exit(EXIT_CODES.ok)
  })
}
