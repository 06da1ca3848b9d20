import type { Logger } from '@flink-ts/common'
import type { TaskDeployment } from '@flink-ts/gateways'
import type { JobVertex } from '@flink-ts/jobgraph'
import type { Push, ReplayedProgram } from '@flink-ts/operators'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import { TaskCheckpointing } from '../checkpoint/task-checkpointing.ts'
import { buildChain, buildInputs, buildOutputs, channelsOf } from './build-task.ts'
import type { DirectConsumer } from './direct-channel.ts'
import type { OperatorChain, OperatorFailureMaker } from './operator-chain.ts'
import type { ContextHost } from './operator-context.ts'
import type { OperatorSequence } from './operator-sequence.ts'
import type { Overdraft } from './overdraft.ts'
import { TaskEnding } from './task-ending.ts'
import { TaskEventTime } from './task-event-time.ts'
import type { InputChannel, TaskInputs } from './task-inputs.ts'
import type { TaskOutputs } from './task-outputs.ts'
import type { StreamTaskDependencies } from './task-ports.ts'
import type { YieldDecision } from './yield-decision.ts'

/** What a task consists of. */
export interface TaskParts {
  readonly outputs: TaskOutputs
  readonly chain: OperatorChain
  readonly checkpointing: TaskCheckpointing
  readonly inputs: TaskInputs
  readonly eventTime: TaskEventTime
  readonly ending: TaskEnding
}

interface AssembleTaskOptions {
  readonly deployment: TaskDeployment
  readonly vertex: JobVertex
  readonly taskName: string
  readonly program: ReplayedProgram
}

interface AssembleTaskDependencies
  extends Pick<
    StreamTaskDependencies,
    'channels' | 'loop' | 'clock' | 'reporter' | 'storage' | 'savepoints'
  > {
  /** Restored, by operator of the chain. */
  readonly backends: readonly OperatorBackends[]
  /** Records on their way, as channels. */
  readonly restored: readonly InputChannel[]
  /** The task as its channels see it. */
  readonly consumer: DirectConsumer
  readonly host: ContextHost
  readonly sequence: OperatorSequence
  readonly overdraft: Overdraft
  readonly logger: Logger
  readonly yielding: YieldDecision
  /** Records are taken: the task is neither starting nor ending. */
  readonly isRunning: () => boolean
  /** The task may have become ready for direct calls, or ceased to be. */
  readonly refresh: () => void
  /** Operators have finished. */
  readonly drain: () => void
  readonly fail: (error: unknown) => void
  readonly failure: OperatorFailureMaker
}

/** Builds what a task consists of, back to front: outputs, operators, its part in checkpoints, inputs. */
export function assembleTask(
  options: AssembleTaskOptions,
  dependencies: AssembleTaskDependencies,
): TaskParts {
  const { deployment, vertex, taskName, program } = options
  const { channels, consumer, host, backends, logger, failure, overdraft, isRunning, fail } = dependencies
  const { timestamp } = consumer
  const outputs = buildOutputs(deployment, program, { channels, timestamp, overdraft, logger })
  const chain = buildChain(deployment, vertex, program, outputs, {
    host,
    backends,
    logger,
    taskName,
    failure,
  })
  const checkpointing = new TaskCheckpointing(
    {
      attemptId: deployment.attemptId,
      taskName,
      ...deployment.job.graph.checkpointing,
      ...channelsOf(deployment, dependencies.restored.length),
    },
    {
      ...dependencies,
      outputs,
      inputs: () => inputs,
      links: chain.links,
      task: { isRunning, fail, finish: () => ending.finish() },
    },
  )
  const { refresh, yielding } = dependencies
  const eventTime = new TaskEventTime({ chain, timestamp, yielding, refresh })
  const ending = new TaskEnding(
    {
      headInputs: new Set(deployment.inputs.map(({ edge }) => edge.targetInput)).size,
      waitsForCheckpoint: deployment.job.graph.checkpointing.intervalMs !== undefined,
    },
    {
      ...{ chain, outputs, checkpointing, fail },
      sequence: dependencies.sequence,
      endOfData: () => dependencies.reporter.endOfData(),
      drain: dependencies.drain,
    },
  )
  const { operator } = chain.head
  const heads = [operator.processElement, operator.processElement2].filter(
    head => head !== undefined,
  ) as Push[]
  const inputs = buildInputs(deployment, channels, timestamp, {
    heads,
    consumer,
    listener: {
      ...eventTime.listener,
      inputEnded: input => ending.inputEnded(input),
      drained: () => ending.drained(),
      changed: refresh,
    },
    barriers: checkpointing.barriers,
    suspended: () => checkpointing.suspended,
    restored: dependencies.restored,
  })
  return { outputs, chain, checkpointing, inputs, eventTime, ending }
}
