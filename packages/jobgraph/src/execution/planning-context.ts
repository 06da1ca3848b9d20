import { serializeError } from '@flink-ts/common'
import type { JobGraph } from '../graph/job-graph.ts'
import { CaptureRecorder } from './captures.ts'
import type { ExecutionContext, ExecutionTarget, JobClient } from './pipeline-executor.ts'
import type { PlanningRecorder } from './planning-recorder.ts'
import type { EarlierOutcome, ProgramCode, ReplayableProgram } from './program.ts'

export interface PlanningContextOptions {
  /** Arguments of the program, without node and script. */
  readonly args: readonly string[]
  /** Program-wide defaults (`-p`, `-D`, configuration file). */
  readonly configuration: Readonly<Record<string, string>>
  readonly code: ProgramCode
}

export interface PlanningContextDependencies {
  readonly recorder: PlanningRecorder
  /**
   * Starts one job. Resolves when it is accepted.
   * @param functions the graph with its functions, as `PipelineExecutor.execute` gets it
   * @param target where the program wants it to run; undefined: it leaves that to whoever runs it
   */
  submit(
    graph: JobGraph,
    program: ReplayableProgram,
    functions: unknown,
    target: ExecutionTarget | undefined,
  ): Promise<JobClient>
}

/**
 * The context in which main runs first. Its executor ends the recording, adds the record to the graph and submits
 * both; what main heard of earlier jobs goes into the records of later `execute` calls.
 */
export function createPlanningContext(
  options: PlanningContextOptions,
  dependencies: PlanningContextDependencies,
): ExecutionContext {
  const captures = new CaptureRecorder()
  const outcomes: (EarlierOutcome | null)[] = []
  /** Notes a failure that main may catch, before it goes on. */
  const failed = (index: number, submitted: boolean, error: unknown): never => {
    outcomes[index] = { error: serializeError(error), submitted }
    throw error
  }
  return {
    mode: 'planning',
    args: options.args,
    configuration: options.configuration,
    capture: (name, read) => dependencies.recorder.unobserved(() => captures.take(name, read)),
    executor: {
      async execute(graph, functions, target) {
        const executeIndex = outcomes.length
        const record = {
          ...dependencies.recorder.record(executeIndex, outcomes, captures.snapshot()),
          configuration: options.configuration,
        }
        outcomes.push(null)
        const program = { code: options.code, record, executeIndex }
        const client = await dependencies
          .submit(graph, program, functions, target)
          .catch((error: unknown) => failed(executeIndex, false, error))
        return {
          ...client,
          result: async () => {
            const result = await client.result().catch((error: unknown) => failed(executeIndex, true, error))
            outcomes[executeIndex] = result
            return result
          },
        }
      },
    },
  }
}
