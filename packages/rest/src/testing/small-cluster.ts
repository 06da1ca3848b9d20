import type { DispatcherGateway } from '@flink-ts/gateways'

const METRICS = { recordsIn: 7, recordsOut: 5, bytesIn: 70, bytesOut: 50 }

/** A cluster with one job of one vertex, as far as metrics are told of it. */
export function smallCluster(parallelism = 1): DispatcherGateway {
  const job = {
    ...{ jobId: 'a'.repeat(32), name: 'flights, by day = all', status: 'RUNNING', endTime: -1, startTime: 1 },
    ...{ restarts: 2, timestamps: { RUNNING: 1 } },
    vertices: [
      {
        ...{ id: 'v', name: 'Source -> map' },
        subtasks: Array.from({ length: parallelism }, (_, index) => ({
          ...{ index, attempt: 1, status: 'RUNNING', taskManagerId: 'tm-1', timestamps: {} },
          metrics: {
            ...METRICS,
            operators: [{ name: 'map', recordsIn: 7, recordsOut: 5, metrics: { size_p99: 9, size_mean: 3 } }],
          },
        })),
      },
    ],
  }
  return {
    listJobs: async () => [job],
    requestJobDetails: async () => job,
    requestCheckpoints: async () => ({
      totals: { triggered: 3, completed: 2, failed: 1, inProgress: 0, restored: 0 },
      latest: {},
    }),
    requestResourceOverview: async () => ({
      ...{ taskManagers: [{ resourceId: 'tm-1', host: 'host 1' }], totalSlots: 2, freeSlots: 1 },
    }),
    inspectTaskManager: async () => ({ 'Status.JVM.CPU.Load': 0.25 }),
  } as unknown as DispatcherGateway
}
