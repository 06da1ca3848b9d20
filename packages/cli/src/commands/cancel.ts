import { configurationFor, connect, parseJobId, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface CancelOptions extends SessionOptions {
  /** Where the savepoint goes that is taken before; true: where the configuration of the cluster says. */
  readonly withSavepoint?: string | true
}

/** `flink cancel [-s [directory]] <jobId>`. */
export async function cancelCommand(
  jobId: string,
  options: CancelOptions,
  terminal: Terminal,
): Promise<void> {
  const { withSavepoint } = options
  if (withSavepoint !== undefined) {
    const { cancelWithSavepointCommand } = await import('./savepoint.ts')
    const directory = withSavepoint === true ? undefined : withSavepoint
    await cancelWithSavepointCommand(jobId, directory, options, terminal)
    return
  }
  const id = parseJobId(jobId)
  const cluster = await connect(configurationFor(options, terminal), terminal)
  try {
    terminal.print(`Cancelling job ${id}.`)
    await cluster.cancelJob(id)
    // Flink's words, which scripts wait for: the cluster has accepted it, and the tasks are about to end.
    terminal.print(`Cancelled job ${id}.`)
  } finally {
    await cluster.close()
  }
}
