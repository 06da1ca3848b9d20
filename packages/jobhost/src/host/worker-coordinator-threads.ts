import { Worker } from 'node:worker_threads'
import type { ThreadReport } from '../coordinators/thread-messages.ts'
import type { CoordinatorThread, CoordinatorThreadFactory } from './coordinator-thread.ts'

/** Coordinator threads as worker threads. Owner: main thread of the job host. */
export class WorkerCoordinatorThreads implements CoordinatorThreadFactory {
  readonly #entryUrl: URL

  /** @param options `entryUrl`: module that calls `runCoordinatorThread` with its parent port */
  constructor(options: { readonly entryUrl: URL }) {
    this.#entryUrl = options.entryUrl
  }

  start(listener: Parameters<CoordinatorThreadFactory['start']>[0]): CoordinatorThread {
    const worker = new Worker(this.#entryUrl, { name: 'coordinators' })
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
