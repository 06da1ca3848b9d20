import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import { IterationApart } from '../errors.ts'
import { feedbackChannel } from './feedback-channel.ts'
import { channelKeyOf } from './iteration-head-operator.ts'

/** Where records leave a loop for its head, in the same slot. */
export function iterationTailOperator(iteration: number): OperatorFactory {
  return {
    kind: 'iteration-tail',
    create(context: OperatorContext): StreamOperator {
      const channel = feedbackChannel(channelKeyOf(context, iteration))
      const send = (value: unknown, timestamp: number): void => {
        if (!channel.connected) throw IterationApart({ operator: context.operatorName })
        channel.send({ value, timestamp })
      }
      return {
        processElement: context.generate<Push>(
          ['send', 'register'],
          'return value => { send(value, register[0]) }',
          [send, context.timestamp],
        ),
        prepareSnapshot: checkpointId => channel.barrier(checkpointId),
        // The head must not wait for a barrier that never comes.
        notifyCheckpointAborted: checkpointId => channel.barrier(checkpointId),
        close: () => channel.barrier(Number.POSITIVE_INFINITY),
      }
    },
  }
}
