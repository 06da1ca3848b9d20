import { VERSION } from '@flink-ts/common'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { bundleCommand } from './commands/bundle.ts'
import { cancelCommand } from './commands/cancel.ts'
import { type ListOptions, listCommand } from './commands/list.ts'
import { type RunOptions, runCommand } from './commands/run.ts'
import { addSnapshotCommands } from './commands/snapshot-commands.ts'
import { EXIT_CODES, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts'
import { formatError } from './format.ts'
import type { SessionOptions } from './session.ts'
import type { Terminal } from './terminal.ts'

/** What the commands do; tests give their own. */
export interface Commands {
  run(job: string, args: readonly string[], options: RunOptions, terminal: Terminal): Promise<void>
  list(options: ListOptions, terminal: Terminal): Promise<void>
  cancel(jobId: string, options: SessionOptions, terminal: Terminal): Promise<void>
  bundle(job: string, options: { output: string }, terminal: Terminal): Promise<void>
}

const COMMANDS: Commands = {
  run: (job, args, options, terminal) => runCommand(job, args, options, terminal),
  list: listCommand,
  cancel: cancelCommand,
  bundle: bundleCommand,
}

/**
 * Runs one command line (without node and script) and answers the exit code; undefined: the process ends when it has
 * nothing left to do, with the exit code it has set.
 */
export async function runCli(
  args: readonly string[],
  terminal: Terminal,
  commands: Commands = COMMANDS,
): Promise<number | undefined> {
  let ranProgram = false
  const program = commandLine(terminal, {
    ...commands,
    run: async (...given) => {
      await commands.run(...given)
      ranProgram = true
    },
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    // Commander has printed its errors and help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage
    terminal.complain(formatError(error))
    return exitCodeOf(error)
  }
  return ranProgram ? undefined : EXIT_CODES.ok
}

function commandLine(terminal: Terminal, commands: Commands): Command {
  const program = new Command('flink')
    .description('Runs, lists and cancels jobs on a flink-ts cluster.')
    .version(`flink-ts ${VERSION}`, '-v, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.print(text.trimEnd()),
      writeErr: text => terminal.complain(text.trimEnd()),
    })
    .showHelpAfterError('(flink --help lists the commands and their options)')
    .addHelpText('after', EXIT_CODES_HELP)

  command(program, 'run')
    .description('run a program: a TypeScript or JavaScript file, or a bundle (.tgz)')
    .usage('[options] <job> [args...]')
    .argument('<job>', 'the program; everything behind it belongs to the program')
    .argument('[args...]', 'arguments of the program')
    .option('-d, --detached', 'return when the first job is submitted; code behind execute does not run')
    .option('-p, --parallelism <n>', 'parallelism of what sets none itself', positiveInteger)
    .option('-s, --fromSavepoint <path>', 'checkpoint or savepoint to start from')
    .option('-n, --allowNonRestoredState', 'ignore state in it that the job has no operator for')
    .addHelpText('after', EXIT_CODES_HELP)
    .passThroughOptions()
    .action((job: string, args: string[], options: RunOptions) => commands.run(job, args, options, terminal))

  command(program, 'list')
    .description('list jobs, the latest first')
    .option('-r, --running', 'jobs that are not over (default)')
    .option('-a, --all', 'also jobs that are over')
    .option('--json', 'as JSON')
    .action((options: ListOptions) => commands.list(options, terminal))

  command(program, 'cancel')
    .description('cancel a job')
    .argument('<jobId>', 'as flink list shows it')
    .action((jobId: string, options: SessionOptions) => commands.cancel(jobId, options, terminal))

  program
    .command('bundle')
    .description('put a program with all it needs into one file that flink run takes')
    .argument('<job>', 'the program')
    .requiredOption('-o, --output <file>', 'the bundle to write (.tgz)')
    .action((job: string, options: { output: string }) => commands.bundle(job, options, terminal))
  addSnapshotCommands(program, terminal)
  return program
}

/** A command that needs a cluster. */
function command(program: Command, name: string): Command {
  return program
    .command(name)
    .addOption(
      new Option('-D, --property <key=value>', 'a configuration key; may be repeated')
        .argParser((value: string, all: string[]) => [...all, value])
        .default([], ''),
    )
    .option('-m, --jobmanager <host:port>', 'the cluster, if not that of the configuration')
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Give a whole number from 1 on.')
  return value
}
