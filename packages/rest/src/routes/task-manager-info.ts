import type { TaskManagerOverview } from '@flink-ts/gateways'

type Metrics = Readonly<Record<string, number | string>>

/** One entry of GET /taskmanagers. What is not known is left out. */
export function taskManagerInfo(taskManager: TaskManagerOverview): object {
  const { resourceId, dataAddress, host, totalSlots, freeSlots, lastHeartbeat, hardware, memory } =
    taskManager
  return {
    id: resourceId,
    path: host,
    dataPort: Number(dataAddress.slice(dataAddress.lastIndexOf(':') + 1)),
    // A point in time in spite of its name, as in Flink.
    timeSinceLastHeartbeat: lastHeartbeat,
    slotsNumber: totalSlots,
    freeSlots,
    totalResource: resourceOf(taskManager, totalSlots),
    freeResource: resourceOf(taskManager, freeSlots),
    hardware: { cpuCores: hardware.cpuCores, physicalMemory: hardware.physicalMemoryBytes },
    memoryConfiguration: {
      taskHeap: Math.floor(memory.taskBytes),
      networkMemory: Math.floor(memory.networkBytes),
      totalFlinkMemory: Math.floor(memory.taskBytes + memory.networkBytes),
    },
  }
}

/** GET /taskmanagers/:id: with the jobs in its slots, and what it measures now. */
export function taskManagerDetails(taskManager: TaskManagerOverview, metrics: Metrics): object {
  const oneSlot = resourceOf(taskManager, 1)
  return {
    ...taskManagerInfo(taskManager),
    allocatedSlots: taskManager.allocatedSlots.map(jobId => ({ jobId, resource: oneSlot })),
    metrics: taskManagerMetrics(metrics),
  }
}

/** The part of so many slots in what the TaskManager has. Memory in MB, as in Flink. */
function resourceOf({ hardware, memory, totalSlots }: TaskManagerOverview, slots: number): object {
  const part = totalSlots === 0 ? 0 : slots / totalSlots
  const megabytes = (sizeBytes: number): number => Math.floor((sizeBytes * part) / 1024 ** 2)
  return {
    cpuCores: hardware.cpuCores * part,
    taskHeapMemory: megabytes(memory.taskBytes),
    networkMemory: megabytes(memory.networkBytes),
  }
}

const NAMES = {
  heapUsed: 'Status.JVM.Memory.Heap.Used',
  heapCommitted: 'Status.JVM.Memory.Heap.Committed',
  heapMax: 'Status.JVM.Memory.Heap.Max',
  nonHeapUsed: 'Status.JVM.Memory.NonHeap.Used',
  directUsed: 'Status.JVM.Memory.Direct.MemoryUsed',
  nettyShuffleMemoryUsed: 'Status.Shuffle.Netty.UsedMemory',
  nettyShuffleMemoryAvailable: 'Status.Shuffle.Netty.AvailableMemory',
  nettyShuffleMemoryTotal: 'Status.Shuffle.Netty.TotalMemory',
}
const COLLECTOR = /^Status\.JVM\.GarbageCollector\.(\w+)\.Count$/

function taskManagerMetrics(metrics: Metrics): object {
  return {
    ...Object.fromEntries(
      Object.entries(NAMES).flatMap(([field, name]) =>
        typeof metrics[name] === 'number' ? [[field, Math.round(metrics[name])]] : [],
      ),
    ),
    garbageCollectors: Object.entries(metrics).flatMap(([id, count]) => {
      const name = COLLECTOR.exec(id)?.[1]
      if (name === undefined || name === 'All') return []
      return { name, count, time: Math.round(Number(metrics[`Status.JVM.GarbageCollector.${name}.Time`])) }
    }),
  }
}
