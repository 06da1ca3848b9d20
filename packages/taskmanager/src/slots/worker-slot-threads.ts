import { type ResourceLimits, Worker } from 'node:worker_threads'
import type { SlotReport, SlotThreadData } from '../thread/slot-messages.ts'
import type { SlotThread, SlotThreadFactory, SlotThreadListener } from './slot-thread.ts'

export interface WorkerSlotThreadsOptions {
  /** Module that calls `runSlotThread` with its parent port and worker data. */
  readonly entryUrl: URL
  /** Node's options of the threads; by default those of this thread. */
  readonly execArgv?: readonly string[]
  /** V8's limits for each thread. */
  readonly resourceLimits?: ResourceLimits
}

/** Slot threads as worker threads. */
export class WorkerSlotThreads implements SlotThreadFactory {
  readonly #options: WorkerSlotThreadsOptions

  constructor(options: WorkerSlotThreadsOptions) {
    this.#options = options
  }

  start(data: SlotThreadData, listener: SlotThreadListener): SlotThread {
    const { entryUrl, execArgv, resourceLimits } = this.#options
    const worker = new Worker(entryUrl, {
      workerData: data,
      name: data.slotId,
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      ...(resourceLimits !== undefined && { resourceLimits }),
    })
    let failure: unknown
    worker.on('message', (report: SlotReport) => listener.report(report))
    worker.on('error', error => {
      failure = error
    })
    worker.on('exit', exitCode => listener.ended(exitCode, failure))
    return {
      post: command => worker.postMessage(command),
      terminate: async () => {
        await worker.terminate()
      },
    }
  }
}
