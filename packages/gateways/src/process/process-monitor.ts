import type { StackNode } from './stack-tree.ts'

/** A file that a process logs to, or that lies beside it. */
export interface LogFile {
  readonly name: string
  readonly sizeBytes: number
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
  /** What this process writes there; `other`: nothing. */
  readonly content: 'log' | 'stdout' | 'other'
}

/** What a thread is doing. */
export interface ThreadDescription {
  readonly name: string
  readonly description: string
}

/** How all threads of a process are looked at. */
export interface ProcessProfileRequest {
  readonly durationMs: number
  /** Whether time without JavaScript is shown, too. */
  readonly idle: boolean
}

/** What a process of the cluster tells of itself. */
export interface ProcessMonitor {
  /** By Flink's names, where there is one. */
  requestMetrics(): Promise<Readonly<Record<string, number | string>>>
  listLogs(): Promise<readonly LogFile[]>
  /**
   * At most `maxBytes` of a listed file from `offset` on; empty at its end. Errors: `cluster.log-file-not-found`, also
   * for every name that is not listed.
   */
  readLog(name: string, offset: number, maxBytes: number): Promise<Uint8Array>
  requestThreadDump(): Promise<readonly ThreadDescription[]>
  /** Samples all threads for that time, and answers with a tree of them: below the root is a node for each thread. */
  requestProfile(request: ProcessProfileRequest): Promise<StackNode>
}

/** A call of a {@link ProcessMonitor} on its way through other components. */
export type ProcessInspection =
  | { readonly type: 'metrics' | 'logs' | 'thread-dump' }
  | ({ readonly type: 'profile' } & ProcessProfileRequest)
  | { readonly type: 'read-log'; readonly name: string; readonly offset: number; readonly maxBytes: number }

/** Makes the call at the process. */
export async function inspectProcess(
  monitor: ProcessMonitor,
  inspection: ProcessInspection,
): Promise<unknown> {
  switch (inspection.type) {
    case 'metrics':
      return await monitor.requestMetrics()
    case 'logs':
      return await monitor.listLogs()
    case 'thread-dump':
      return await monitor.requestThreadDump()
    case 'profile':
      return await monitor.requestProfile(inspection)
    case 'read-log':
      return await monitor.readLog(inspection.name, inspection.offset, inspection.maxBytes)
  }
}

/** The monitor of a process elsewhere. */
export function remoteProcessMonitor(
  inspect: (inspection: ProcessInspection) => Promise<unknown>,
): ProcessMonitor {
  const ask = async <T>(inspection: ProcessInspection): Promise<T> => (await inspect(inspection)) as T
  return {
    requestMetrics: () => ask({ type: 'metrics' }),
    listLogs: () => ask({ type: 'logs' }),
    readLog: (name, offset, maxBytes) => ask({ type: 'read-log', name, offset, maxBytes }),
    requestThreadDump: () => ask({ type: 'thread-dump' }),
    requestProfile: ({ durationMs, idle }) => ask({ type: 'profile', durationMs, idle }),
  }
}
