import {
  currentExecutionContext,
  type ExecutionTarget,
  installExecutionContext,
  type JobGraph,
} from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'
import { StreamExecutionEnvironment } from '../environment/stream-execution-environment.ts'

/** What `execute` was called with. */
export interface Submission {
  readonly graph: JobGraph
  readonly program: ReplayedProgram
  readonly target: ExecutionTarget | undefined
}

/** Runs `build` as a program and gives what it submitted. For tests. */
export async function planned(
  build: (env: StreamExecutionEnvironment) => unknown,
  options: {
    readonly configuration?: Record<string, string>
    readonly accumulators?: (graph: JobGraph) => Record<string, unknown>
  } = {},
): Promise<Submission[]> {
  const submissions: Submission[] = []
  installExecutionContext({
    mode: 'planning',
    args: ['--input', 'a'],
    configuration: options.configuration ?? {},
    capture: (_name, read) => read(),
    executor: {
      execute: async (graph, program, target) => {
        submissions.push({ graph, program: program as ReplayedProgram, target })
        return {
          jobId: graph.jobId,
          status: async () => 'FINISHED',
          cancel: async () => undefined,
          triggerSavepoint: async () => '',
          stopWithSavepoint: async () => '',
          result: async () => ({
            jobId: graph.jobId,
            jobName: graph.name,
            netRuntimeMs: 1,
            accumulators: options.accumulators?.(graph) ?? {},
          }),
        }
      },
    },
  })
  // One context for a thread: fail early if another copy of the module is in use.
  currentExecutionContext()
  await build(StreamExecutionEnvironment.getExecutionEnvironment())
  return submissions
}

/** Runs `build` and executes it; gives the one job. */
export async function plannedJob(
  build: (env: StreamExecutionEnvironment) => unknown,
  configuration: Record<string, string> = {},
): Promise<Submission> {
  const submissions = await planned(
    async env => {
      await build(env)
      await env.execute('job')
    },
    { configuration },
  )
  return submissions[0] as Submission
}
