// Owns: which slots exist, which are free, and which job they are promised to.
// Called by: TaskExecutors and JobMasters over RPC, the Dispatcher; wired by cluster.
// Calls: TaskExecutors (requestSlot), JobMasters (notifyNotEnoughResources).
// Thread: the main thread of the JobManager process.
export {
  ResourceManager,
  type ResourceManagerDependencies,
  type ResourceManagerOptions,
} from './endpoint/resource-manager.ts'
export { ResourceManagerOptionKeys } from './resourcemanager-options.ts'
