// Owns: JobGraph (a job as plain data), the executor port, job bundles.
// Called by: streaming (makes graphs), client, dispatcher, jobmanager, taskmanager, cluster.
// Calls: common, serialization, filesystem; esbuild and tar for bundles.
// Thread: any.
export type {
  CheckpointSettings,
  JobEdge,
  JobGraph,
  JobOperator,
  JobVertex,
  Partitioning,
  RestartStrategy,
} from './graph/job-graph.ts'
export {
  currentExecutionContext,
  type ExecutionContext,
  installExecutionContext,
  type JobClient,
  type PipelineExecutor,
  setDefaultExecutionContext,
} from './execution/pipeline-executor.ts'
export {
  isGloballyTerminal,
  type JobExecutionResult,
  type JobStatus,
  type ProgramCode,
  type ReplayableProgram,
  type ReplayRecord,
} from './execution/program.ts'
