import { isFlinkError, serializeError } from '@flink-ts/common'
import type { JobMasterGateway, TaskExecutionStateUpdate } from '@flink-ts/gateways'
import { ResultUndeliverable } from '../errors.ts'

/** What cannot travel, wherever it is sent to: it would be refused again. */
const UNDELIVERABLE = ['rpc.payload-too-large', 'rpc.not-plain-data']

/**
 * Tells the JobMaster the last state of a task. A result that cannot travel makes it a failure: without any word the
 * job would wait for the task for ever. Rejects as the call does.
 */
export async function tellTaskState(
  gateway: Pick<JobMasterGateway, 'updateTaskExecutionState'>,
  update: TaskExecutionStateUpdate,
): Promise<void> {
  try {
    await gateway.updateTaskExecutionState(update)
  } catch (error) {
    const { attemptId: task, accumulators, metrics } = update
    if (accumulators === undefined || !isFlinkError(error) || !UNDELIVERABLE.includes(error.code)) throw error
    const names = Object.keys(accumulators)
    const failure = ResultUndeliverable({ task, names, reason: error.message }, error)
    const told = { attemptId: task, status: 'FAILED', error: serializeError(failure), metrics } as const
    await gateway.updateTaskExecutionState(told)
  }
}
