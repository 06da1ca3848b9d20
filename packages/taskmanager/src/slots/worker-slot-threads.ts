import { setFlagsFromString } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '@flink-ts/common'
import type { SlotReport, SlotThreadData } from '../thread/slot-messages.ts'
import type { SlotThread, SlotThreadFactory, SlotThreadListener } from './slot-thread.ts'

export interface WorkerSlotThreadsOptions {
  /** Module that calls `runSlotThread` with its parent port. */
  readonly entryUrl: URL
  /** Node's options of the threads; by default those of this thread. */
  readonly execArgv?: readonly string[]
  /**
   * Once a slot was used, one thread more is kept that has loaded everything but a job, so that the next slot needs not
   * wait for that (about 0.2 s); it takes about 30 MB.
   */
  readonly keepSpare?: boolean
}

/**
 * Where young objects begin. V8 begins with 1 MB, and grows only with what survives: records do not, so that a thread
 * stays with some MB, collects hundreds of times a second, and copies records that a larger space would let die first.
 */
const SEMI_SPACE_MB = 32
/** V8 counts three semi-spaces as the young generation; as many as it has by itself. */
const MOST_YOUNG_MB = 3 * 2 * SEMI_SPACE_MB

/** Slot threads are busy when they start: the spare one waits this long. */
const SPARE_DELAY_MS = 150

interface Spare {
  readonly worker: Worker
  readonly memoryLimitBytes: number
  /** The worker has ended or is about to. */
  readonly gone: () => void
}

/** Slot threads as worker threads. Owner: TaskExecutor main thread. */
export class WorkerSlotThreads implements SlotThreadFactory {
  /** Those with a slot that have not ended. */
  readonly running: ReadonlySet<Worker>
  readonly #options: WorkerSlotThreadsOptions
  readonly #clock: Clock
  readonly #workers = new Set<Worker>()
  readonly #slots = new WeakMap<Worker, string>()
  #spare: Spare | undefined
  #spareTimer: Timer | undefined
  #closed = false

  constructor(options: WorkerSlotThreadsOptions, dependencies: { clock: Clock }) {
    this.#options = options
    this.#clock = dependencies.clock
    // Of the whole process, read when a thread starts; below the limit of its young generation in any case.
    setFlagsFromString(`--min-semi-space-size=${SEMI_SPACE_MB}`)
    // Where most objects of a place survive a collection, V8 allocates all later ones in the old space. Of a result that
    // keyed state holds until the next record of its key that is a wrong guess: each becomes garbage there.
    setFlagsFromString('--no-allocation-site-pretenuring')
    this.running = this.#workers
  }

  /** The thread without a slot, if there is one. */
  get spare(): Worker | undefined {
    return this.#spare?.worker
  }

  /** The slot that a running thread was started for. */
  slotOf(worker: Worker): string | undefined {
    return this.#slots.get(worker)
  }

  start(data: SlotThreadData, listener: SlotThreadListener): SlotThread {
    const { memoryLimitBytes } = data
    const worker = this.#takeSpare(memoryLimitBytes) ?? this.#newWorker(memoryLimitBytes)
    let failure: unknown
    worker.on('message', (report: SlotReport) => listener.report(report))
    worker.on('error', error => {
      failure = error
    })
    this.#workers.add(worker)
    this.#slots.set(worker, data.slotId)
    worker.on('exit', exitCode => {
      this.#workers.delete(worker)
      listener.ended(exitCode, failure)
    })
    worker.postMessage(data)
    if (this.#options.keepSpare === true) this.#prepareSpare(memoryLimitBytes)
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
      profile: async durationMs => {
        try {
          const running = await worker.startCpuProfile()
          await new Promise<void>(resolve => {
            this.#clock.schedule(durationMs, resolve)
          })
          return await running.stop()
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

  /** Ends the spare thread; slots end their own. No thread is to be started any more. */
  async close(): Promise<void> {
    this.#closed = true
    this.#spareTimer?.cancel()
    await this.#spare?.worker.terminate()
  }

  #newWorker(memoryLimitBytes: number): Worker {
    const { entryUrl, execArgv } = this.#options
    const limitMb = memoryLimitBytes / 1024 ** 2
    return new Worker(entryUrl, {
      name: 'slot',
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      resourceLimits: {
        // V8's own limit lies well above: where it is met, V8 may end the whole process instead of the thread.
        maxOldGenerationSizeMb: Math.floor(2 * limitMb),
        // Dead young objects count as used until they are collected: a small slot must not be full of them.
        maxYoungGenerationSizeMb: Math.ceil(Math.min(limitMb / 4, MOST_YOUNG_MB)),
      },
    })
  }

  #takeSpare(memoryLimitBytes: number): Worker | undefined {
    const spare = this.#spare
    if (spare === undefined || spare.memoryLimitBytes !== memoryLimitBytes) return undefined
    this.#spare = undefined
    spare.worker.off('error', spare.gone).off('exit', spare.gone)
    spare.worker.ref()
    return spare.worker
  }

  #prepareSpare(memoryLimitBytes: number): void {
    this.#spareTimer?.cancel()
    const prepare = (): void => {
      if (this.#closed || this.#spare !== undefined) return
      const worker = this.#newWorker(memoryLimitBytes)
      worker.unref()
      const gone = (): void => {
        if (this.#spare?.worker === worker) this.#spare = undefined
      }
      // Whatever it is, the thread that is started in its place has it too and reports it.
      worker.on('error', gone)
      worker.on('exit', gone)
      this.#spare = { worker, memoryLimitBytes, gone }
    }
    this.#spareTimer = this.#clock.schedule(SPARE_DELAY_MS, prepare, { unref: true })
  }
}
