// Owns: what components may say to each other: gateways and their messages.
// Called by: all components and clients.
// Calls: rpc (session definitions); types of jobgraph and state.
// Thread: any; messages are plain data.
export * from './dispatcher/checkpoint-messages.ts'
export * from './dispatcher/gateway.ts'
export * from './dispatcher/messages.ts'
export * from './job-host/gateway.ts'
export * from './job-host/messages.ts'
export * from './job-master/gateway.ts'
export * from './job-master/messages.ts'
export * from './process/process-monitor.ts'
export { type StackNode, StackTree } from './process/stack-tree.ts'
export * from './process/task-inspection.ts'
export * from './resource-manager/gateway.ts'
export * from './resource-manager/messages.ts'
export * from './task-executor/gateway.ts'
export * from './task-executor/messages.ts'
