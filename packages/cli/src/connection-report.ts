import type { ConnectionEvent } from '@flink-ts/client'
import type { Clock } from '@flink-ts/common'
import { formatElapsed } from './format.ts'
import type { Terminal } from './terminal.ts'

/** Where nobody looks at a status line, absence is told this often. */
const REPEAT_MS = 10_000

/** Says on the terminal that the JobManager is lost, still away, and back. */
export function reportConnection(
  address: string,
  terminal: Terminal,
  clock: Clock,
): (event: ConnectionEvent) => void {
  let toldAtMs = 0
  return event => {
    switch (event.type) {
      case 'lost':
        toldAtMs = clock.monotonicMs()
        terminal.complain(
          `Lost the connection to the JobManager at ${address}: ${event.reason} Jobs may go on without this client. ` +
            `Trying to reach it again for ${formatElapsed(event.reconnectTimeoutMs)} (client.timeout) ...`,
        )
        return
      case 'absent': {
        const line = `No JobManager answers at ${address} since ${formatElapsed(event.sinceMs)}; trying again ...`
        terminal.showStatus(line)
        if (terminal.interactive || clock.monotonicMs() - toldAtMs < REPEAT_MS) return
        toldAtMs = clock.monotonicMs()
        terminal.complain(line)
        return
      }
      case 'restored':
        terminal.showStatus(undefined)
        terminal.complain(`The JobManager at ${address} answers again after ${formatElapsed(event.afterMs)}.`)
    }
  }
}
