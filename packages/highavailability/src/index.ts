// Owns: who leads the cluster, and what survives JobManagers: jobs, checkpoint pointers, results.
// Called by: cluster (campaign, recovery), jobmanager (records of a job), cli and TaskManagers (where the leader is).
// Calls: filesystem, blobs and encoding of rpc.
// Thread: the main thread of a process.
export { LeadershipLost, NoFreePort } from './errors.ts'
export { FileHighAvailability } from './filesystem/file-high-availability.ts'
export { highAvailabilityType, jobManagerPort, portsOf } from './highavailability-options.ts'
export { jobManagerAccess } from './leader/job-manager-access.ts'
export type { LeaderContender } from './leader/leader-campaign.ts'
export { LeaderRpcClient, leaderAddress } from './leader/leader-rpc-client.ts'
export type { LeaderTerm } from './leader/leader-term.ts'
export { openHighAvailability } from './open-high-availability.ts'
export type { Campaign, HighAvailability } from './store/high-availability.ts'
export type {
  JobLeftovers,
  JobProgress,
  JobRecord,
  RecordedCheckpoint,
  RecordedFolder,
} from './store/job-progress.ts'
export { type JobRecorder, type JobStore, recorderOf, type StoredJob } from './store/job-store.ts'
export { KeptBlobs } from './store/kept-blobs.ts'
