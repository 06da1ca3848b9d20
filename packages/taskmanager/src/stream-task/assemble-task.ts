import type { Logger } from '@flink-ts/common'
import type { JobVertex } from '@flink-ts/jobgraph'
import type { Push } from '@flink-ts/operators'
import { TaskCheckpointing } from '../checkpoint/task-checkpointing.ts'
import type { Accumulators } from './accumulators.ts'
import { buildChain, buildInputs, buildOutputs, channelsOf } from './build-task.ts'
import type { DirectConsumer } from './direct-channel.ts'
import { EventTimeWatch } from './event-time-watch.ts'
import type { OperatorActions } from './operator-actions.ts'
import type { ChainLink, OperatorChain, OperatorFailureMaker } from './operator-chain.ts'
import { OperatorMetrics } from './operator-metrics.ts'
import type { OperatorSequence } from './operator-sequence.ts'
import { Overdraft } from './overdraft.ts'
import type { RestoredTask } from './restore-task.ts'
import { SourceTurn } from './source-turn.ts'
import { taskContextHost } from './task-context-host.ts'
import { TaskEnding } from './task-ending.ts'
import { TaskEventTime } from './task-event-time.ts'
import type { TaskInputs } from './task-inputs.ts'
import type { TaskOutputs } from './task-outputs.ts'
import type { StreamTaskDependencies, StreamTaskOptions } from './task-ports.ts'
import { TaskWork } from './task-work.ts'
import { YieldDecision } from './yield-decision.ts'

/** What a task consists of. */
export interface TaskParts {
  readonly outputs: TaskOutputs
  readonly chain: OperatorChain
  readonly checkpointing: TaskCheckpointing
  readonly inputs: TaskInputs
  readonly eventTime: TaskEventTime
  readonly ending: TaskEnding
  readonly work: TaskWork
  /** Undefined: nothing here waits for event time. */
  readonly eventTimeWatch: EventTimeWatch | undefined
}

interface AssembleTaskOptions extends Pick<StreamTaskOptions, 'deployment' | 'program' | 'overdraftLimits'> {
  readonly vertex: JobVertex
  readonly taskName: string
}

interface AssembleTaskDependencies
  extends Pick<
    StreamTaskDependencies,
    'channels' | 'loop' | 'clock' | 'reporter' | 'storage' | 'savepoints'
  > {
  readonly restored: RestoredTask
  /** The task as its channels see it. */
  readonly consumer: DirectConsumer
  readonly sequence: OperatorSequence
  readonly actions: OperatorActions
  readonly accumulators: Accumulators
  readonly logger: Logger
  /** Records are taken: the task is neither starting nor ending. */
  readonly isRunning: () => boolean
  /** The task may have become ready for direct calls, or ceased to be. */
  readonly refresh: () => void
  /** Operators have finished. */
  readonly drain: () => void
  readonly fail: (error: unknown) => void
  readonly failure: OperatorFailureMaker
}

/**
 * Builds what a task consists of, back to front: outputs, operators, its part in checkpoints, inputs. Operators are
 * created here, and may emit as soon as they are opened.
 */
export function assembleTask(
  options: AssembleTaskOptions,
  dependencies: AssembleTaskDependencies,
): TaskParts {
  const { deployment, vertex, taskName, program, overdraftLimits } = options
  const { channels, consumer, restored, logger, failure, isRunning, fail, refresh } = dependencies
  const { loop, clock, reporter, sequence, actions, accumulators } = dependencies
  const { backends } = restored
  const { timestamp } = consumer
  const sourceTurn = new SourceTurn()
  const unavailable = new Set<number>()
  const operatorMetrics = new OperatorMetrics()
  // Undefined while operators are being created.
  let built: OperatorChain | undefined
  const host = taskContextHost({
    ...{ timestamp, loop, clock, reporter, actions, sourceTurn, unavailable, accumulators, operatorMetrics },
    outputs: () => outputs,
    chain: () => built,
    eventTime: () => eventTime,
    failed: (index, error) => fail(failure(chain.links[index] as ChainLink, 'asynchronous work', error)),
  })
  const overdraft = new Overdraft({ task: taskName, limits: overdraftLimits })
  const outputs = buildOutputs(deployment, program, { channels, timestamp, overdraft, logger })
  const chain = buildChain(deployment, vertex, program, outputs, {
    host,
    backends,
    logger,
    taskName,
    failure,
  })
  built = chain
  const checkpointing = new TaskCheckpointing(
    {
      ...{ attemptId: deployment.attemptId, taskName },
      ...{ subtask: deployment.subtaskIndex, parallelism: vertex.parallelism },
      ...deployment.job.graph.checkpointing,
      ...channelsOf(deployment, restored.channels.length),
    },
    {
      ...dependencies,
      backends,
      outputs,
      inputs: () => inputs,
      links: chain.links,
      task: { isRunning, fail, finish: () => ending.finish() },
    },
  )
  const yielding = new YieldDecision(() => loop.sliceOver() || !outputs.available())
  const eventTime = new TaskEventTime({ chain, timestamp, yielding, refresh })
  const ending = new TaskEnding(
    {
      headInputs: new Set(deployment.inputs.map(({ edge }) => edge.targetInput)).size,
      waitsForCheckpoint: deployment.job.graph.checkpointing.intervalMs !== undefined,
    },
    {
      ...{ chain, outputs, checkpointing, fail, sequence },
      endOfData: () => reporter.endOfData(),
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
    restored: restored.channels,
  })
  const parts = { outputs, chain, checkpointing, inputs, eventTime, ending }
  const work = new TaskWork(parts, {
    ...{ sequence, actions, yielding, sourceTurn, unavailable, clock, operatorMetrics },
    ...{ isRunning, refresh, failure },
  })
  const waits = inputs.count > 0 && chain.links.some(link => link.operator.advanceWatermark)
  return { ...parts, work, eventTimeWatch: waits ? new EventTimeWatch({ clock, logger }) : undefined }
}
