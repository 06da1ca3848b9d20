import type { ProcessMonitor } from '@flink-ts/gateways'
import type { AllocatedSlot } from '../slots/allocated-slot.ts'
import type { NetworkMemory } from './network-memory.ts'

/** The monitor of a TaskManager: that of its process, with what the TaskManager alone knows. */
export function taskManagerMonitor(
  process: ProcessMonitor,
  facts: {
    readonly memory: NetworkMemory
    readonly slots: () => {
      readonly total: number
      readonly used: readonly Pick<AllocatedSlot, 'slotId' | 'measures'>[]
    }
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
        taskSlotsAvailable: total - used.length,
        ...Object.fromEntries(used.flatMap(threadMetrics)),
      }
    },
    listLogs: () => process.listLogs(),
    readLog: (name, offset, maxBytes) => process.readLog(name, offset, maxBytes),
    requestThreadDump: () => process.requestThreadDump(),
    requestProfile: request => process.requestProfile(request),
  }
}

function threadMetrics({ slotId, measures }: Pick<AllocatedSlot, 'slotId' | 'measures'>): [string, number][] {
  if (measures === undefined) return []
  const name = `Status.Thread.slot-${slotId.slice(slotId.lastIndexOf('_') + 1)}`
  return [
    [`${name}.GarbageCollector.All.Count`, measures.collections],
    [`${name}.GarbageCollector.All.Time`, measures.collectionMs],
    [`${name}.EventLoop.DelayMeanMs`, measures.delayMeanMs],
    [`${name}.EventLoop.DelayP99Ms`, measures.delayP99Ms],
    [`${name}.EventLoop.DelayMaxMs`, measures.delayMaxMs],
  ]
}
