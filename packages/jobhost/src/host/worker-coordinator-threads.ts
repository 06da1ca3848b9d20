import { Worker } from 'node:worker_threads'
import type { ThreadReport } from '../coordinators/thread-messages.ts'
import type { CoordinatorThread, CoordinatorThreadFactory } from './coordinator-thread.ts'

/** Coordinator threads as worker threads. Owner: main thread of the job host. */
export class WorkerCoordinatorThreads implements CoordinatorThreadFactory {
  readonly #entryUrl: URL
  readonly #heapLimitBytes: number

  /** @param options `entryUrl`: module that calls `runCoordinatorThread` with its parent port */
  constructor(options: { readonly entryUrl: URL; readonly heapLimitBytes: number }) {
    this.#entryUrl = options.entryUrl
    this.#heapLimitBytes = options.heapLimitBytes
  }

  start(listener: Parameters<CoordinatorThreadFactory['start']>[0]): CoordinatorThread {
    const worker = new Worker(this.#entryUrl, {
      name: 'coordinators',
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(this.#heapLimitBytes / 2 ** 20) },
    })
    let failure: unknown
    worker.on('message', (report: ThreadReport) => listener.report(report))
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
