import type { MessagePort } from 'node:worker_threads'
import { createLogger, serializeError } from '@flink-ts/common'
import type { CoordinatorReport } from '@flink-ts/gateways'
import { replayProgram, requireSameTopology } from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'
import { CoordinatorsRunner } from './coordinators-runner.ts'
import type { ThreadCommand, ThreadReport } from './thread-messages.ts'

/**
 * Body of a coordinator thread: to be called once by the entry module of the worker, with its parent port. Returns at
 * once; the thread lives until it is terminated. Errors that nobody handles end it.
 */
export function runCoordinatorThread(port: MessagePort): void {
  process.setSourceMapsEnabled(true)
  const say = (report: ThreadReport): void => port.postMessage(report)
  const report = (content: CoordinatorReport): void => say({ type: 'report', report: content })
  let runner: Promise<CoordinatorsRunner | undefined> = Promise.resolve(undefined)
  port.on('message', (message: ThreadCommand) => {
    switch (message.type) {
      case 'run':
        runner = run(message, report)
        break
      case 'command':
        // `run` never rejects; without a runner its failure was reported.
        void runner.then(running => running?.handle(message.command))
        break
      case 'close':
        void runner.then(async running => {
          await running?.close()
          say({ type: 'closed' })
        })
        break
    }
  })
}

/** Never rejects. */
async function run(
  { deployment, moduleUrl, logger }: Extract<ThreadCommand, { type: 'run' }>,
  report: (report: CoordinatorReport) => void,
): Promise<CoordinatorsRunner | undefined> {
  const { job, run: number } = deployment
  const ownLogger = createLogger(logger).child({ component: 'jobhost', jobId: job.jobId, run: number })
  try {
    const replayed = await replayProgram(job.program, { moduleUrl })
    requireSameTopology(job.graph, replayed.graph)
    const program = replayed.program as ReplayedProgram
    const runner = new CoordinatorsRunner(deployment, { program, report, logger: ownLogger })
    // Commands wait inside; failures are reported.
    void runner.start()
    return runner
  } catch (error) {
    report({ type: 'failed', error: serializeError(error) })
    return undefined
  }
}
