// Owns: access to files by URI scheme.
// Called by: state (checkpoint storage), connectors, jobgraph, dispatcher.
// Calls: node:fs; later HDFS and S3 clients.
// Thread: any.
export type { FileInput, FileOutput, FileStatus, FileSystem } from './api/file-system.ts'
