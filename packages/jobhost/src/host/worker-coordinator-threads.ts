import { Worker } from 'node:worker_threads'
import type { ThreadReport } from '../coordinators/thread-messages.ts'
import type { CoordinatorThread, CoordinatorThreadFactory } from './coordinator-thread.ts'

interface Spare {
  readonly worker: Worker
  /** The worker has ended or is about to. */
  readonly gone: () => void
}

/** Coordinator threads as worker threads. Owner: main thread of the job host. */
export class WorkerCoordinatorThreads implements CoordinatorThreadFactory {
  readonly #entryUrl: URL
  readonly #heapLimitBytes: number
  /** Has loaded everything but a job, for whichever job comes next. */
  #spare: Spare | undefined
  #closed = false

  /** @param options `entryUrl`: module that calls `runCoordinatorThread` with its parent port */
  constructor(options: { readonly entryUrl: URL; readonly heapLimitBytes: number }) {
    this.#entryUrl = options.entryUrl
    this.#heapLimitBytes = options.heapLimitBytes
  }

  prepare(): void {
    if (this.#closed || this.#spare !== undefined) return
    const worker = this.#newWorker()
    worker.unref()
    const gone = (): void => {
      if (this.#spare?.worker === worker) this.#spare = undefined
    }
    // Whatever it is, the thread that is started in its place has it too and reports it.
    worker.on('error', gone)
    worker.on('exit', gone)
    this.#spare = { worker, gone }
  }

  start(listener: Parameters<CoordinatorThreadFactory['start']>[0]): CoordinatorThread {
    const worker = this.#takeSpare() ?? this.#newWorker()
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

  async close(): Promise<void> {
    this.#closed = true
    await this.#spare?.worker.terminate()
  }

  #newWorker(): Worker {
    return new Worker(this.#entryUrl, {
      name: 'coordinators',
      resourceLimits: { maxOldGenerationSizeMb: Math.ceil(this.#heapLimitBytes / 2 ** 20) },
    })
  }

  #takeSpare(): Worker | undefined {
    const spare = this.#spare
    if (spare === undefined) return undefined
    this.#spare = undefined
    spare.worker.off('error', spare.gone).off('exit', spare.gone)
    spare.worker.ref()
    return spare.worker
  }
}
