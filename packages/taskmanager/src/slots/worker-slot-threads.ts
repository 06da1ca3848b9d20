import { Worker } from 'node:worker_threads'
import type { SlotReport, SlotThreadData } from '../thread/slot-messages.ts'
import type { SlotThread, SlotThreadFactory, SlotThreadListener } from './slot-thread.ts'

export interface WorkerSlotThreadsOptions {
  /** Module that calls `runSlotThread` with its parent port and worker data. */
  readonly entryUrl: URL
  /** Node's options of the threads; by default those of this thread. */
  readonly execArgv?: readonly string[]
}

/** Slot threads as worker threads. */
export class WorkerSlotThreads implements SlotThreadFactory {
  /** Those that have not ended. */
  readonly running: ReadonlySet<Worker>
  readonly #options: WorkerSlotThreadsOptions
  readonly #workers = new Set<Worker>()

  constructor(options: WorkerSlotThreadsOptions) {
    this.#options = options
    this.running = this.#workers
  }

  start(data: SlotThreadData, listener: SlotThreadListener): SlotThread {
    const { entryUrl, execArgv } = this.#options
    const worker = new Worker(entryUrl, {
      workerData: data,
      name: data.slotId,
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      resourceLimits: { maxOldGenerationSizeMb: Math.floor(data.memoryLimitBytes / 1024 ** 2) },
    })
    let failure: unknown
    worker.on('message', (report: SlotReport) => listener.report(report))
    worker.on('error', error => {
      failure = error
    })
    this.#workers.add(worker)
    worker.on('exit', exitCode => {
      this.#workers.delete(worker)
      listener.ended(exitCode, failure)
    })
    return {
      post: command => worker.postMessage(command),
      usedMemoryBytes: async () => {
        try {
          const heap = await worker.getHeapStatistics()
          return heap.used_heap_size + heap.external_memory
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_NOT_RUNNING') return undefined
          throw error
        }
      },
      terminate: async () => {
        await worker.terminate()
      },
    }
  }
}
