import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import {
  constants,
  type ELDHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import { getHeapCodeStatistics, getHeapStatistics, type HeapInfo } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import type { Clock } from '@flink-ts/common'

/** What garbage collectors of V8 are called here. */
const COLLECTORS = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'Scavenge',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'MarkSweepCompact',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'IncrementalMarking',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'WeakCallbacks',
} as const
const DELAY_RESOLUTION_MS = 20
/** Delays are told of a stretch of this length at least. */
const DELAY_WINDOW_MS = 10_000

/** Name and worker of a thread. */
export interface NamedThread {
  readonly name: string
  readonly worker: Worker
}

/**
 * What this process measures of itself, by Flink's names where there is one: `JVM` stands for V8. Memory is that of all
 * threads; collections and delays are those of the main thread. Owner: the main thread.
 */
export class ProcessMetrics {
  readonly #clock: Clock
  readonly #threads: () => readonly NamedThread[]
  readonly #collections = new Map<string, { count: number; timeMs: number }>()
  readonly #observer: PerformanceObserver
  readonly #delay: ELDHistogram
  #delays = { mean: 0, p99: 0, max: 0 }
  #delaysSinceMs: number
  #cpu: { readonly atMs: number; readonly usedMs: number; readonly load: number }

  constructor(dependencies: { clock: Clock; threads: () => readonly NamedThread[] }) {
    this.#clock = dependencies.clock
    this.#threads = dependencies.threads
    this.#observer = new PerformanceObserver(list => {
      for (const entry of list.getEntries()) {
        const { kind } = (entry as unknown as { readonly detail: unknown }).detail as {
          kind: keyof typeof COLLECTORS
        }
        this.#collected(COLLECTORS[kind] ?? 'Other', entry.duration)
      }
    })
    this.#observer.observe({ entryTypes: ['gc'] })
    this.#delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
    this.#delay.enable()
    this.#delaysSinceMs = this.#clock.monotonicMs()
    this.#cpu = { atMs: this.#clock.monotonicMs(), usedMs: cpuMs(), load: 0 }
  }

  /** Ends the measuring. */
  close(): void {
    this.#observer.disconnect()
    this.#delay.disable()
  }

  async read(): Promise<Record<string, number>> {
    const threads = this.#threads()
    const heaps = [getHeapStatistics(), ...(await heapsOf(threads))]
    const sum = (
      field: 'used_heap_size' | 'total_heap_size' | 'heap_size_limit' | 'malloced_memory',
    ): number => heaps.reduce((all, heap) => all + heap[field], 0)
    const { external, arrayBuffers, rss } = process.memoryUsage()
    const code = getHeapCodeStatistics()
    return {
      'Status.JVM.CPU.Load': this.#cpuLoad(),
      'Status.JVM.CPU.Time': Math.round(cpuMs() * 1e6),
      'Status.JVM.Memory.Heap.Used': sum('used_heap_size'),
      'Status.JVM.Memory.Heap.Committed': sum('total_heap_size'),
      'Status.JVM.Memory.Heap.Max': sum('heap_size_limit'),
      'Status.JVM.Memory.NonHeap.Used': sum('malloced_memory') + code.code_and_metadata_size,
      'Status.JVM.Memory.Metaspace.Used': code.code_and_metadata_size + code.bytecode_and_metadata_size,
      'Status.JVM.Memory.Direct.MemoryUsed': external,
      'Status.JVM.Memory.Direct.ArrayBuffers': arrayBuffers,
      'Status.Memory.ResidentSet': rss,
      'Status.JVM.Threads.Count': countOf('/proc/self/task') ?? threads.length + 1,
      ...this.#collectorMetrics(),
      ...this.#delayMetrics(),
      ...Object.fromEntries(
        threads.map(({ name, worker }) => [
          `Status.Thread.${name}.Utilization`,
          worker.performance.eventLoopUtilization().utilization,
        ]),
      ),
      ...fileDescriptors(),
      ...systemMetrics(),
    }
  }

  #collected(name: string, durationMs: number): void {
    for (const each of [name, 'All']) {
      const collector = this.#collections.get(each) ?? { count: 0, timeMs: 0 }
      collector.count++
      collector.timeMs += durationMs
      this.#collections.set(each, collector)
    }
  }

  #collectorMetrics(): Record<string, number> {
    return Object.fromEntries(
      [...this.#collections].flatMap(([name, { count, timeMs }]) => [
        [`Status.JVM.GarbageCollector.${name}.Count`, count],
        [`Status.JVM.GarbageCollector.${name}.Time`, Math.round(timeMs)],
      ]),
    )
  }

  /** How late timers were, beyond what they are late by their resolution. */
  #delayMetrics(): Record<string, number> {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#delaysSinceMs >= DELAY_WINDOW_MS || this.#delays.max === 0) {
      const inMs = (ns: number): number => Math.max(0, ns / 1e6 - DELAY_RESOLUTION_MS)
      const { mean, max } = this.#delay
      // Without a sample the mean is NaN and the least and greatest values are those of nothing.
      if (this.#delay.count > 0)
        this.#delays = { mean: inMs(mean), p99: inMs(this.#delay.percentile(99)), max: inMs(max) }
      if (nowMs - this.#delaysSinceMs >= DELAY_WINDOW_MS) {
        this.#delay.reset()
        this.#delaysSinceMs = nowMs
      }
    }
    return {
      'Status.EventLoop.DelayMeanMs': this.#delays.mean,
      'Status.EventLoop.DelayP99Ms': this.#delays.p99,
      'Status.EventLoop.DelayMaxMs': this.#delays.max,
      'Status.Thread.main.Utilization': performance.eventLoopUtilization().utilization,
    }
  }

  /** Part of the machine that this process had since it was asked last, if that is long enough ago: 0 to 1. */
  #cpuLoad(): number {
    const [atMs, usedMs] = [this.#clock.monotonicMs(), cpuMs()]
    const elapsedMs = atMs - this.#cpu.atMs
    if (elapsedMs >= 500) {
      const load = (usedMs - this.#cpu.usedMs) / elapsedMs / availableParallelism()
      this.#cpu = { atMs, usedMs, load: Math.min(1, load) }
    }
    return this.#cpu.load
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function heapsOf(threads: readonly NamedThread[]): Promise<readonly HeapInfo[]> {
  const heaps = await Promise.all(
    // One that ends meanwhile has none any more.
    threads.map(({ worker }) => worker.getHeapStatistics().catch(() => undefined)),
  )
  return heaps.filter(heap => heap !== undefined)
}

function fileDescriptors(): Record<string, number> {
  const opened = countOf('/proc/self/fd')
  const limit = /^Max open files\s+(\d+)/m.exec(textOf('/proc/self/limits') ?? '')?.[1]
  return {
    ...(opened !== undefined && { 'Status.FileDescriptor.Open': opened }),
    ...(limit !== undefined && { 'Status.FileDescriptor.Max': Number(limit) }),
  }
}

function systemMetrics(): Record<string, number> {
  const [load1, load5, load15] = loadavg() as [number, number, number]
  return {
    'System.CPU.Load1min': load1,
    'System.CPU.Load5min': load5,
    'System.CPU.Load15min': load15,
    'System.Memory.Available': freemem(),
    'System.Memory.Total': totalmem(),
  }
}

/** Undefined where the system has no such folder. */
function countOf(folder: string): number | undefined {
  try {
    return readdirSync(folder).length
  } catch {
    return undefined
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
