import type { ProcessMonitor } from '@flink-ts/gateways'

/** A process that measures one thing and has the given log files. */
export function fakeMonitor(logs: Readonly<Record<string, string>> = {}): ProcessMonitor {
  return {
    requestMetrics: async () => ({ 'Status.JVM.Memory.Heap.Used': 7 }),
    listLogs: async () =>
      Object.entries(logs).map(([name, text]) => ({
        name,
        sizeBytes: Buffer.byteLength(text),
        modifiedAt: 1,
        content: name === 'own.log' ? 'log' : 'other',
      })),
    readLog: async (name, offset, maxBytes) =>
      Buffer.from(logs[name] as string).subarray(offset, offset + maxBytes),
    requestThreadDump: async () => [{ name: 'main', description: 'at rest' }],
    requestProfile: async ({ durationMs }) => ({
      name: 'root',
      value: durationMs,
      children: [{ name: '<main>', value: durationMs, children: [] }],
    }),
  }
}
