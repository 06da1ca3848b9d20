// Owns: JobGraph (a job as plain data), the executor port, planning and replay of programs, job bundles.
// Called by: streaming (makes graphs), client, cli, dispatcher, jobmanager, taskmanager, cluster.
// Calls: common, serialization (captured values), filesystem; esbuild and tar for bundles.
// Thread: any; planning and replay replace globals of the thread they run in until `execute`.
export { BundleFolder } from './bundle/bundle-folder.ts'
export { BUNDLE_FORMAT, type BundleManifest } from './bundle/bundle-manifest.ts'
export { findProgramFiles, type ProgramFiles } from './bundle/compile-program.ts'
export { type CreateBundleOptions, type CreatedBundle, createBundle } from './bundle/create-bundle.ts'
export { type ExtractBundleOptions, type ExtractedBundle, extractBundle } from './bundle/extract-bundle.ts'
export { findRuntimeModuleDirs } from './bundle/runtime-modules.ts'
export { hostSecret } from './execution/host-secret.ts'
export {
  currentExecutionContext,
  type ExecutionContext,
  type ExecutionTarget,
  installExecutionContext,
  type JobClient,
  LOCAL_SETTINGS_VARIABLE,
  type PipelineExecutor,
  setDefaultExecutionContext,
} from './execution/pipeline-executor.ts'
export { PlannedProgram, type ProgramOptions, type SubmitJob } from './execution/planned-program.ts'
export {
  createPlanningContext,
  type PlanningContextDependencies,
  type PlanningContextOptions,
} from './execution/planning-context.ts'
export { type PlanningRecorder, startPlanningRecorder } from './execution/planning-recorder.ts'
export { preloadRuntime } from './execution/preload-runtime.ts'
export {
  isGloballyTerminal,
  type JobExecutionResult,
  type JobStatus,
  type ProgramCode,
  type ReplayableProgram,
  type ReplayRecord,
} from './execution/program.ts'
export { looksLikeSecret } from './execution/recorded-environment.ts'
export { type Replay, type ReplayOptions, replayProgram } from './execution/replay-program.ts'
export { requireSameTopology } from './execution/require-same-topology.ts'
export { foldFrames, userFrameOf } from './execution/user-frame.ts'
export { type CachedContent, type CachedFile, cachedBlobKeys } from './graph/cached-file.ts'
export type {
  CheckpointSettings,
  JobEdge,
  JobGraph,
  JobOperator,
  JobVertex,
  Partitioning,
  RestoreSettings,
} from './graph/job-graph.ts'
export {
  exponentialDelayOf,
  type RestartStrategy,
  restartStrategyOf,
  withRestartStrategy,
} from './graph/restart-strategy.ts'
