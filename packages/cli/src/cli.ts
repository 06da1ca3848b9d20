import { VERSION } from '@flink-ts/common'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { bundleCommand } from './commands/bundle.ts'
import { type CancelOptions, cancelCommand } from './commands/cancel.ts'
import { completionCommand } from './commands/completion.ts'
import type { ConfigExplainOptions } from './commands/config-explain.ts'
import type { DevOptions } from './commands/dev.ts'
import type { DoctorOptions } from './commands/doctor.ts'
import type { InfoOptions } from './commands/info.ts'
import { type ListOptions, listCommand } from './commands/list.ts'
import { type RunOptions, runCommand } from './commands/run.ts'
import { addSavepointCommands } from './commands/savepoint-commands.ts'
import { addSnapshotCommands } from './commands/snapshot-commands.ts'
import { EXIT_CODES, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts'
import { formatError } from './format.ts'
import { addProjectCommands } from './project/project-commands.ts'
import type { Terminal } from './terminal.ts'

/** What the commands do; tests give their own. */
export interface Commands {
  run(job: string, args: readonly string[], options: RunOptions, terminal: Terminal): Promise<void>
  list(options: ListOptions, terminal: Terminal): Promise<void>
  cancel(jobId: string, options: CancelOptions, terminal: Terminal): Promise<void>
  bundle(job: string, options: { output: string; entry?: string }, terminal: Terminal): Promise<void>
  dev(job: string, args: readonly string[], options: DevOptions, terminal: Terminal): Promise<void>
  info(job: string, args: readonly string[], options: InfoOptions, terminal: Terminal): Promise<void>
  /** Answers the exit code. */
  explain(key: string | undefined, options: ConfigExplainOptions, terminal: Terminal): Promise<number>
  /** Answers the exit code. */
  doctor(options: DoctorOptions, terminal: Terminal): Promise<number>
}

const COMMANDS: Commands = {
  run: (job, args, options, terminal) => runCommand(job, args, options, terminal),
  list: listCommand,
  cancel: cancelCommand,
  bundle: bundleCommand,
  // Loaded when they are called: flink run should start soon.
  dev: async (...given) => (await import('./commands/dev.ts')).devCommand(...given),
  info: async (...given) => (await import('./commands/info.ts')).infoCommand(...given),
  explain: async (...given) => (await import('./commands/config-explain.ts')).configExplainCommand(...given),
  doctor: async (...given) => (await import('./commands/doctor.ts')).doctorCommand(...given),
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
  let exitCode: number | undefined = EXIT_CODES.ok
  const program = commandLine(terminal, {
    ...commands,
    // Programs may have work left to do: their process ends by itself.
    run: async (...given) => {
      await commands.run(...given)
      exitCode = undefined
    },
    info: async (...given) => {
      await commands.info(...given)
      exitCode = undefined
    },
    dev: async (...given) => {
      await commands.dev(...given)
      exitCode = undefined
    },
    explain: async (...given) => (exitCode = await commands.explain(...given)),
    doctor: async (...given) => (exitCode = await commands.doctor(...given)),
  })
  try {
    await program.parseAsync(withLongNames(args), { from: 'user' })
  } catch (error) {
    // Commander has printed its errors and help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage
    terminal.complain(formatError(error))
    return exitCodeOf(error)
  }
  return exitCode
}

/** The commands with their options, as they are parsed and helped with. */
export function commandLine(terminal: Terminal, commands: Commands): Command {
  const program = new Command('flink')
    .description(
      'Runs, lists and cancels jobs on a flink-ts cluster. flink <command> --help explains a command.',
    )
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
    .addOption(entryFunction())
    .option('-s, --fromSavepoint <path>', 'checkpoint or savepoint to start from', snapshotPath)
    .addOption(
      new Option('--from <snapshot>', 'as -s; latest: the newest snapshot of a job of the same name')
        .argParser(snapshotPath)
        .conflicts('fromSavepoint'),
    )
    .option('-n, --allowNonRestoredState', 'ignore state in it that the job has no operator for')
    .addOption(
      new Option(
        '--claimMode <mode>',
        'claim: the job owns the snapshot and removes it when it is outdated; also -cm',
      ).choices(['claim', 'no_claim', 'legacy']),
    )
    .option('--shutdownOnAttachedExit', 'cancel the job when this client is ended by Ctrl-C; also -sae')
    .addHelpText('after', EXIT_CODES_HELP)
    .passThroughOptions()
    .action((job: string, args: string[], options: RunOptions) => commands.run(job, args, options, terminal))

  command(program, 'list')
    .description('list jobs that run or are scheduled, the latest first')
    .option('-r, --running', 'jobs that run or restart')
    .option('-s, --scheduled', 'jobs that do not run yet')
    .option('-a, --all', 'also jobs that are over')
    .option('--json', 'as JSON')
    .action((options: ListOptions) => commands.list(options, terminal))

  command(program, 'cancel')
    .description('cancel a job')
    .argument('<jobId>', 'as flink list shows it')
    .option('-s, --withSavepoint [directory]', 'take a savepoint before; without one the job goes on')
    .action((jobId: string, options: CancelOptions) => commands.cancel(jobId, options, terminal))

  program
    .command('bundle')
    .description('put a program with all it needs into one file that flink run takes')
    .argument('<job>', 'the program')
    .requiredOption('-o, --output <file>', 'the bundle to write (.tgz)')
    .addOption(entryFunction())
    .action((job: string, options: { output: string; entry?: string }) =>
      commands.bundle(job, options, terminal),
    )
  program
    .command('dev')
    .description('run a program in a cluster of its own, and again whenever its files change')
    .usage('[options] <job> [args...]')
    .argument('<job>', 'the program; everything behind it belongs to the program')
    .argument('[args...]', 'arguments of the program')
    .addOption(property())
    .option('-p, --parallelism <n>', 'parallelism of what sets none itself', positiveInteger)
    .passThroughOptions()
    .action((job: string, args: string[], options: DevOptions) => commands.dev(job, args, options, terminal))
  program
    .command('info')
    .description('print the plan of a program without running it; needs no cluster')
    .usage('[options] <job> [args...]')
    .argument('<job>', 'the program; everything behind it belongs to the program')
    .argument('[args...]', 'arguments of the program')
    .addOption(property())
    .addOption(entryFunction())
    .option('-p, --parallelism <n>', 'parallelism of what sets none itself', positiveInteger)
    .option('--json', 'as JSON')
    .passThroughOptions()
    .action((job: string, args: string[], options: InfoOptions) =>
      commands.info(job, args, options, terminal),
    )

  const config = program.command('config').description('explain the configuration')
  config
    .command('explain')
    .description('what a key means, and its value here; without a key: all that are set')
    .argument('[key]', 'such as rest.port')
    .addOption(property())
    .option('--json', 'as JSON')
    .action(async (key: string | undefined, options: ConfigExplainOptions) => {
      await commands.explain(key, options, terminal)
    })

  command(program, 'doctor')
    .description('look for what keeps a cluster from working, and say what to do')
    .option('--json', 'as JSON')
    .action(async (options: DoctorOptions) => {
      await commands.doctor(options, terminal)
    })

  program
    .command('completion')
    .description('print a script that makes bash complete commands and options')
    .action(() => completionCommand(program, terminal))

  addSavepointCommands(program, command, terminal)
  addSnapshotCommands(program, terminal)
  addProjectCommands(program, terminal)
  return program
}

/** A command that needs a cluster. */
function command(program: Command, name: string): Command {
  return program
    .command(name)
    .addOption(property())
    .option('-m, --jobmanager <host:port>', 'the cluster, if not that of the configuration')
}

/** Commander knows no short names of several letters, as Flink has them. */
const LONG_NAMES: Readonly<Record<string, string>> = {
  '-sae': '--shutdownOnAttachedExit',
  '-cm': '--claimMode',
}
const WITH_VALUE = [
  ...['-D', '--property', '-m', '--jobmanager', '-p', '--parallelism'],
  ...['-s', '--fromSavepoint', '--from', '--claimMode', '-cm', '-c', '--entry'],
]

const JOB_ID = /^[0-9a-f]{32}$/i

/** `cancel -s <jobId>` means the job, though commander would take its id for the directory of the savepoint. */
function withJobIdFirst(args: readonly string[]): string[] {
  const at = args.findIndex((arg, i) => /^(-s|--withSavepoint)$/.test(arg) && JOB_ID.test(args[i + 1] ?? ''))
  const others = args.filter((arg, i) => i !== at + 1 && JOB_ID.test(arg))
  if (args[0] !== 'cancel' || at < 0 || others.length > 0) return [...args]
  const [option, jobId] = args.slice(at, at + 2) as [string, string]
  return [...args.slice(0, at), ...args.slice(at + 2), jobId, option]
}

/** Replaces them, up to the program: what follows belongs to it. */
function withLongNames(args: readonly string[]): string[] {
  const result = withJobIdFirst(args)
  if (result[0] !== 'run') return result
  for (let i = 1; result[i]?.startsWith('-'); i++) {
    const name = result[i] as string
    result[i] = LONG_NAMES[name] ?? name
    if (WITH_VALUE.includes(name)) i++
  }
  return result
}

function property(): Option {
  return new Option('-D, --property <key=value>', 'a configuration key; may be repeated')
    .argParser((value: string, all: string[]) => [...all, value])
    .default([], '')
}

function entryFunction(): Option {
  return new Option(
    '-c, --entry <function>',
    'a function that the program exports: its main, called with the arguments; by default the file itself is',
  ).argParser(text => {
    if (text.startsWith('-') || isProgram(text))
      throw new InvalidArgumentError('Name a function that the program exports, such as -c main.')
    return text
  })
}

/** What follows is taken for the value, whatever it is. */
function snapshotPath(text: string): string {
  if (!text.startsWith('-') && !isProgram(text)) return text
  throw new InvalidArgumentError(
    'Give the folder of a checkpoint or savepoint behind it (./- if its name begins so), or --from latest.',
  )
}

const isProgram = (text: string): boolean => /\.([mc]?[jt]sx?|tgz|tar\.gz)$/.test(text)

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('Give a whole number from 1 on.')
  return value
}
