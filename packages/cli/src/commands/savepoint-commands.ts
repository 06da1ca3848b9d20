import { type Command, Option } from 'commander'
import type { Terminal } from '../terminal.ts'
import type { InfoOptions } from './info.ts'
import type { SavepointOptions, StopOptions } from './savepoint.ts'

/**
 * Adds the commands that take and remove savepoints.
 * @param command makes a command with the options of every command that needs a cluster
 */
export function addSavepointCommands(
  program: Command,
  command: (program: Command, name: string) => Command,
  terminal: Terminal,
): void {
  const savepoint = command(program, 'savepoint')
    .description('take a savepoint of a running job, or remove one')
    .argument('[jobId]', 'as flink list shows it')
    .argument('[directory]', 'where it goes; execution.checkpointing.savepoint-dir if absent')
    .option('-d, --dispose <path>', 'remove this savepoint instead')
    .addOption(detached())
    .addOption(type())
    .action(async (jobId: string | undefined, directory: string | undefined, options: SavepointOptions) => {
      const { savepointCommand } = await import('./savepoint.ts')
      await savepointCommand(jobId, directory, options, terminal)
    })

  savepoint
    .command('diff')
    .description('which operators of a program would take which state of a snapshot; needs no cluster')
    .usage('[options] <snapshot> <job> [args...]')
    .argument('<snapshot>', 'folder of a checkpoint or savepoint, or its _metadata')
    .argument('<job>', 'the program; everything behind it belongs to the program')
    .argument('[args...]', 'arguments of the program')
    .addOption(
      new Option('-D, --property <key=value>', 'a configuration key; may be repeated')
        .argParser((value: string, all: string[]) => [...all, value])
        .default([], ''),
    )
    .option('--json', 'as JSON')
    .passThroughOptions()
    .action(async (snapshot: string, job: string, args: string[], options: InfoOptions) => {
      const { savepointDiffCommand } = await import('./savepoint-diff.ts')
      await savepointDiffCommand(snapshot, job, args, options, terminal)
    })

  command(program, 'stop')
    .description('end a running job with a savepoint, to go on from it with flink run -s')
    .argument('<jobId>', 'as flink list shows it')
    .option(
      '-p, --savepointPath <directory>',
      'where it goes; execution.checkpointing.savepoint-dir if absent',
    )
    .option(
      '-d, --drain',
      'end the input first, so that all windows and timers fire: the job is not to go on',
    )
    .addOption(detached())
    .addOption(type())
    .action(async (jobId: string, options: StopOptions) => {
      const { stopCommand } = await import('./savepoint.ts')
      await stopCommand(jobId, options, terminal)
    })
}

function detached(): Option {
  return new Option('--detached', 'return at once and print the trigger id, by which REST tells the outcome')
}

function type(): Option {
  return new Option('--type <format>', 'both stand for the one format there is: it fits every backend')
    .choices(['canonical', 'native'])
    .default('canonical')
}
