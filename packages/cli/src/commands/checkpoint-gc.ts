import { type Clock, SystemClock } from '@flink-ts/common'
import { fileSystemFor, toUri } from '@flink-ts/filesystem'
import { findGarbage } from '@flink-ts/state'
import { formatCount, formatTable, formatTime } from '../format.ts'
import type { Terminal } from '../terminal.ts'

export interface CheckpointGcOptions {
  /** Only show. */
  readonly dryRun?: boolean
  /** Files changed later stay: they may belong to a checkpoint under way. Milliseconds. */
  readonly olderThan: number
}

/** `flink checkpoint gc`: removes files below a checkpoint directory that no complete snapshot refers to. */
export async function checkpointGcCommand(
  directory: string,
  options: CheckpointGcOptions,
  terminal: Terminal,
  clock: Clock = new SystemClock(),
): Promise<void> {
  const uri = toUri(directory)
  const fileSystem = fileSystemFor(uri)
  const { snapshots, garbage, unreadable } = await findGarbage(fileSystem, uri)
  terminal.print(`${formatCount(snapshots.length)} complete snapshots below ${uri}`)
  const referring = snapshots.map(({ uri: folder, files, sizeBytes }) => [
    folder,
    `${formatCount(files)} files`,
    `${formatCount(sizeBytes)} bytes`,
  ])
  for (const line of formatTable(referring)) terminal.print(`  ${line}`)
  for (const { uri: folder, reason } of unreadable) {
    terminal.complain(`${folder} can't be read, so nothing beside it is touched: ${reason}`)
  }
  const now = clock.now()
  const old = garbage.filter(({ modifiedAt }) => now - modifiedAt >= options.olderThan)
  const young = garbage.length - old.length
  const rows = old.map(file => [
    file.uri,
    `${formatCount(file.sizeBytes)} bytes`,
    formatTime(file.modifiedAt),
    file.reason,
  ])
  for (const line of formatTable(rows)) terminal.print(line)
  const bytes = formatCount(old.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
  const kept = young === 0 ? '' : `; ${formatCount(young)} younger ones stay (--older-than)`
  if (options.dryRun === true) {
    terminal.print(`${formatCount(old.length)} files with ${bytes} bytes would be removed${kept}`)
    return
  }
  // The list was long, and the first look is over: a checkpoint that has been completed since may refer to some.
  const garbageNow = new Set((await findGarbage(fileSystem, uri)).garbage.map(file => file.uri))
  const stillGarbage = old.filter(file => garbageNow.has(file.uri))
  for (const file of stillGarbage) await fileSystem.delete(file.uri)
  const removedBytes = stillGarbage.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  terminal.print(
    `${formatCount(stillGarbage.length)} files with ${formatCount(removedBytes)} bytes removed${kept}`,
  )
}
