import type { Clock } from '@flink-ts/common'
import type { ProcessMonitor, ProcessProfileRequest, StackNode } from '@flink-ts/gateways'
import { LogFiles } from './log-files.ts'
import { type NamedThread, ProcessMetrics } from './process-metrics.ts'
import { dumpThreads } from './thread-dump.ts'
import { profileThreads } from './thread-profile.ts'

export interface NodeProcessMonitorOptions {
  /** Where this process logs; undefined: to standard output. */
  readonly logFile: string | undefined
}

export interface NodeProcessMonitorDependencies {
  readonly clock: Clock
  /** Threads beside the main one. */
  readonly threads: () => readonly NamedThread[]
}

/** Monitors the process that it runs in, until it is closed. Main thread. */
export class NodeProcessMonitor implements ProcessMonitor {
  readonly #logs: LogFiles
  readonly #metrics: ProcessMetrics
  readonly #ports: NodeProcessMonitorDependencies
  #dump: ReturnType<typeof dumpThreads> | undefined

  constructor(options: NodeProcessMonitorOptions, dependencies: NodeProcessMonitorDependencies) {
    this.#logs = new LogFiles(options.logFile)
    this.#metrics = new ProcessMetrics(dependencies)
    this.#ports = dependencies
  }

  requestMetrics(): Promise<Record<string, number>> {
    return this.#metrics.read()
  }

  listLogs(): ReturnType<ProcessMonitor['listLogs']> {
    return this.#logs.list()
  }

  readLog(name: string, offset: number, maxBytes: number): Promise<Uint8Array> {
    return this.#logs.read(name, offset, maxBytes)
  }

  /** Those who ask at the same time get the same one: a thread can be sampled once at a time. */
  requestThreadDump(): ReturnType<ProcessMonitor['requestThreadDump']> {
    this.#dump ??= dumpThreads(this.#ports.threads(), this.#ports.clock).finally(() => {
      this.#dump = undefined
    })
    return this.#dump
  }

  requestProfile(request: ProcessProfileRequest): Promise<StackNode> {
    return profileThreads(this.#ports.threads(), request, this.#ports.clock)
  }

  /** Ends the measuring. */
  close(): void {
    this.#metrics.close()
  }
}
