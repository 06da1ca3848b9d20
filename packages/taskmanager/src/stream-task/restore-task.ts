import type { TaskDeployment } from '@flink-ts/gateways'
import type { JobVertex } from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import { restoreBackends } from './restore-backends.ts'
import { restoreChannels } from './restore-channels.ts'
import type { InputChannel } from './task-inputs.ts'
import type { StateBackends } from './task-ports.ts'

/** What a task starts from. */
export interface RestoredTask {
  /** By operator of its chain. */
  readonly backends: readonly OperatorBackends[]
  /** Records that were on their way to it, as channels. */
  readonly channels: readonly InputChannel[]
}

/** The state of a task, with what its deployment has of a snapshot. Rejects with errors of state and storage. */
export async function restoreTask(
  task: { deployment: TaskDeployment; vertex: JobVertex; program: ReplayedProgram },
  timestamp: Float64Array,
  factories: StateBackends,
): Promise<RestoredTask> {
  const { deployment, vertex, program } = task
  const state = deployment.restore?.state
  const backends = await restoreBackends(vertex, deployment.subtaskIndex, program, state, factories)
  return { backends, channels: await restoreChannels(task, state, timestamp, factories) }
}
