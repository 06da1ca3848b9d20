import { type Duration, durationToMs } from '@flink-ts/common'
import { type Command, InvalidArgumentError } from 'commander'
import type { Terminal } from '../terminal.ts'

/** Adds the commands that look at snapshots on storage: they need no cluster and no user code. */
export function addSnapshotCommands(program: Command, terminal: Terminal): void {
  const state = program.command('state').description('look into a checkpoint or savepoint')
  const snapshotHelp = 'folder of a checkpoint or savepoint, or its _metadata'

  state
    .command('ls')
    .description('operators and states of a snapshot, with the types of their values')
    .argument('<snapshot>', snapshotHelp)
    .option('--json', 'as JSON')
    .action(async (snapshot: string, options: { json?: boolean }) => {
      const { stateListCommand } = await import('./state.ts')
      await stateListCommand(snapshot, options, terminal)
    })

  state
    .command('get')
    .description('what a keyed state has for one key')
    .argument('<snapshot>', snapshotHelp)
    .argument('<operator>', 'its uid, name or id, as flink state ls shows it')
    .argument('<state>', 'name of the state')
    .argument('<key>', 'as JSON, or plain text')
    .action(async (snapshot: string, operator: string, name: string, key: string) => {
      const { stateGetCommand } = await import('./state.ts')
      await stateGetCommand({ snapshot, operator, state: name, key }, terminal)
    })

  state
    .command('export')
    .description('all values as lines of JSON')
    .argument('<snapshot>', snapshotHelp)
    .option('-o, --output <file>', 'a new file; the terminal if absent')
    .option('--operator <name>', 'only of this operator, by uid, name or id')
    .option('--state <name>', 'only of states of this name')
    .action(async (snapshot: string, options: { output?: string; operator?: string; state?: string }) => {
      const { stateExportCommand } = await import('./state.ts')
      await stateExportCommand(snapshot, options, terminal)
    })

  state
    .command('diff')
    .description('how two snapshots differ: values of each state that were added, removed, changed')
    .argument('<before>', snapshotHelp)
    .argument('<after>', snapshotHelp)
    .option('--json', 'as JSON')
    .action(async (before: string, after: string, options: { json?: boolean }) => {
      const { stateDiffCommand } = await import('./state.ts')
      await stateDiffCommand([before, after], options, terminal)
    })

  const checkpoint =
    program.commands.find(command => command.name() === 'checkpoint') ?? program.command('checkpoint')
  checkpoint.description('work on checkpoints')
  checkpoint
    .command('gc')
    .description('remove files that no complete snapshot refers to')
    .argument(
      '<directory>',
      'a checkpoint directory (execution.checkpointing.dir), or the folder of one job in it',
    )
    .option('--dry-run', 'only show what would be removed')
    .option('--older-than <duration>', 'files changed later stay', duration, 86_400_000)
    .action(async (directory: string, options: { dryRun?: boolean; olderThan: number }) => {
      const { checkpointGcCommand } = await import('./checkpoint-gc.ts')
      await checkpointGcCommand(directory, options, terminal)
    })
}

function duration(text: Duration): number {
  const ms = durationToMs(text)
  if (ms === undefined || ms < 0) throw new InvalidArgumentError('Give a duration such as 1 h or 7 d.')
  return ms
}
