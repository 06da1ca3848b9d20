// Owns: submission of jobs to a running cluster, and what a client asks about them.
// Called by: cli, cluster (MiniCluster), flink-ts.
// Calls: rpc (sessions, blobs), gateways (dispatcher); types of jobgraph.
// Thread: the main thread of the client's process.
export { clientSettingsOf } from './client-options.ts'
export type { ConnectionEvent } from './connection/dispatcher-connection.ts'
export { JobCancelled, NoJobManager } from './errors.ts'
export {
  ClusterClient,
  type ClusterClientDependencies,
  type ClusterClientOptions,
} from './submission/cluster-client.ts'
