import type { MessagePort } from 'node:worker_threads'
import {
  type Clock,
  createLogger,
  type Random,
  SystemClock,
  SystemRandom,
  serializeError,
} from '@flink-ts/common'
import { replayProgram } from '@flink-ts/jobgraph'
import { Doorbell } from '@flink-ts/network'
import { Pulse } from '../mailbox/pulse.ts'
import { SlotLoop, type WakeSignal } from '../mailbox/slot-loop.ts'
import type { ReplayFunction } from './load-program.ts'
import type { SlotCommand, SlotReport, SlotThreadData } from './slot-messages.ts'
import { SlotRunner } from './slot-runner.ts'
import { installSynchronousConsole } from './synchronous-console.ts'
import { ThreadMetrics } from './thread-metrics.ts'
import type { UncaughtOrigin } from './uncaught-errors.ts'

/** What differs in tests; by default the machine's. */
export interface SlotThreadDependencies {
  readonly clock?: Clock
  readonly random?: Random
  readonly replay?: ReplayFunction
}

/**
 * Body of a slot thread: to be called once by the entry module of the worker, with its parent port. The first message
 * there is the {@link SlotThreadData}, all others are commands. Returns at once; the thread lives until it is
 * terminated. Errors that belong to no task end the thread.
 */
export function runSlotThread(port: MessagePort, dependencies: SlotThreadDependencies = {}): void {
  installSynchronousConsole()
  process.setSourceMapsEnabled(true)
  let runner: SlotRunner | undefined
  const end = (error: unknown, origin: UncaughtOrigin): void => {
    const failure = runner?.describeCrash(error, origin) ?? serializeError(error)
    port.postMessage({ type: 'crash', error: failure } satisfies SlotReport)
    // Nobody can say in which state the tasks are.
    process.exit(1)
  }
  process.on('uncaughtException', end)
  port.on('message', (message: SlotThreadData | SlotCommand) => {
    if (runner === undefined) runner = createRunner(port, message as SlotThreadData, dependencies)
    else runner.handle(message as SlotCommand)
  })
}

function createRunner(
  port: MessagePort,
  data: SlotThreadData,
  dependencies: SlotThreadDependencies,
): SlotRunner {
  const clock = dependencies.clock ?? new SystemClock()
  const logger = createLogger(data.logger).child({
    component: 'slot',
    slotId: data.slotId,
    jobId: data.jobId,
  })
  const loop = new SlotLoop({
    clock,
    bell: wakeSignalOf(new Doorbell(data.bell)),
    pulse: new Pulse(data.pulse),
    onCrash: error => {
      port.postMessage({ type: 'crash', error: serializeError(error) } satisfies SlotReport)
      process.exit(1)
    },
  })
  return new SlotRunner(
    {
      slotId: data.slotId,
      state: data.state,
      localStateFolders: data.localStateFolders,
      overdraftLimits: data.overdraftLimits,
    },
    {
      loop,
      clock,
      random: dependencies.random ?? new SystemRandom(),
      logger,
      replay: dependencies.replay ?? replayProgram,
      report: report => port.postMessage(report),
      threadMetrics: new ThreadMetrics(),
    },
  )
}

function wakeSignalOf(bell: Doorbell): WakeSignal {
  return {
    version: () => bell.ticket(),
    wait(seen, listener) {
      const rung = bell.wait(seen)
      if (rung === undefined) setImmediate(listener)
      // The bell's promise never rejects.
      else void rung.then(listener)
    },
  }
}
