import type { ProcessMonitor } from '@flink-ts/gateways'
import type { NetworkMemory } from './network-memory.ts'

/** The monitor of a TaskManager: that of its process, with what the TaskManager alone knows. */
export function taskManagerMonitor(
  process: ProcessMonitor,
  facts: {
    readonly memory: NetworkMemory
    readonly slots: () => { readonly total: number; readonly used: number }
  },
): ProcessMonitor {
  return {
    requestMetrics: async () => {
      const metrics = await process.requestMetrics()
      const { limitBytes, usedBytes } = facts.memory
      const { total, used } = facts.slots()
      return {
        ...metrics,
        'Status.Shuffle.Netty.TotalMemory': limitBytes,
        'Status.Shuffle.Netty.UsedMemory': usedBytes,
        'Status.Shuffle.Netty.AvailableMemory': limitBytes - usedBytes,
        taskSlotsTotal: total,
        taskSlotsAvailable: total - used,
      }
    },
    listLogs: () => process.listLogs(),
    readLog: (name, offset, maxBytes) => process.readLog(name, offset, maxBytes),
    requestThreadDump: () => process.requestThreadDump(),
  }
}
