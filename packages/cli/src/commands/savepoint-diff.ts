import { SystemRandom } from '@flink-ts/common'
import { fileSystemFor } from '@flink-ts/filesystem'
import { type JobClient, type JobGraph, PlannedProgram } from '@flink-ts/jobgraph'
import { FileSavepointStorage } from '@flink-ts/state'
import { NoJobExecuted, TargetGivenTwice } from '../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatTable } from '../format.ts'
import { configurationFor, settingsConfiguration } from '../session.ts'
import { type MappedOperator, mapSnapshot, type NamedOperator } from '../snapshot-mapping.ts'
import type { Terminal } from '../terminal.ts'
import type { InfoOptions } from './info.ts'
import type { RunProcess } from './run.ts'

/**
 * `flink savepoint diff <snapshot> job.ts args...`: runs main up to its first `execute` and prints which of its operators
 * would take which state of the snapshot. Needs no cluster; nothing is submitted. Ends the process, with exit code 1 if
 * `flink run -s` would be refused without `-n`.
 */
export async function savepointDiffCommand(
  snapshot: string,
  job: string,
  args: readonly string[],
  options: InfoOptions,
  terminal: Terminal,
  ownProcess: RunProcess = process,
): Promise<void> {
  const storage = new FileSavepointStorage(
    { inlineThresholdBytes: 0 },
    { fileSystemFor, random: new SystemRandom() },
  )
  const metadata = await storage.readMetadata(snapshot)
  const configuration = configurationFor(options, terminal).with(settingsConfiguration(options))
  const program = new PlannedProgram({ job, args, configuration, entryFunction: options.entry })
  const planned = Promise.withResolvers<void>()
  process.once('beforeExit', () => planned.reject(NoJobExecuted({ program: job })))
  const evaluated = program.evaluate((_bundleFile, graph: JobGraph, _program, target): Promise<JobClient> => {
    if (target !== undefined) throw TargetGivenTwice({ target: target.type })
    const mapped = mapSnapshot(graph, metadata)
    print(mapped, options.json === true, terminal)
    const fits = mapped.every(({ outcome }) => outcome === 'restored' || outcome === 'new')
    // Code behind execute expects a result, and there is none.
    return ownProcess.exit(fits ? EXIT_CODES.ok : EXIT_CODES.failed)
  })
  // A program whose main is not awaited may come to its execute later.
  evaluated.catch((error: unknown) => planned.reject(error))
  await planned.promise
}

function print(mapped: readonly MappedOperator[], json: boolean, terminal: Terminal): void {
  if (json) {
    terminal.print(JSON.stringify(mapped, null, 2))
    return
  }
  const rows = mapped.map(({ outcome, snapshot, job, advice }) => [
    ...[outcome, describe(snapshot), describe(job), advice],
  ])
  for (const line of formatTable([['OUTCOME', 'IN THE SNAPSHOT', 'IN THE JOB', ''], ...rows]))
    terminal.print(line.trimEnd())
  const dropped = mapped.filter(({ outcome }) => outcome === 'dropped').length
  if (dropped > 0)
    terminal.print(
      `flink run -s is refused: nobody takes over the state of ${dropped} operator${dropped === 1 ? '' : 's'}. With -n it is dropped.`,
    )
  if (mapped.some(({ outcome }) => outcome === 'restored'))
    terminal.print(
      'What is stored is compared with the descriptors of the program when its operators open, not here: a type that ' +
        'does not fit still ends the job then. A default of a descriptor is for keys without a value; restored values ' +
        'keep theirs, and fields that are new are undefined in them unless the declared type or migrate says otherwise.',
    )
  if (mapped.some(({ outcome }) => outcome === 'refused'))
    terminal.print('flink run -s is refused: keyed state has another number of key groups.')
}

function describe(operator: NamedOperator | undefined): string {
  if (operator === undefined) return '-'
  const { name, uid, parallelism } = operator
  return `${name}${uid === undefined ? '' : ` (uid ${uid})`} x${parallelism}`
}
