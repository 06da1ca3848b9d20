import { configurationFor, connect, parseJobId, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

/** `flink cancel <jobId>`. */
export async function cancelCommand(
  jobId: string,
  options: SessionOptions,
  terminal: Terminal,
): Promise<void> {
  const id = parseJobId(jobId)
  const cluster = await connect(configurationFor(options, terminal), terminal)
  try {
    await cluster.cancelJob(id)
    terminal.print(`Job ${id} is being cancelled.`)
  } finally {
    await cluster.close()
  }
}
