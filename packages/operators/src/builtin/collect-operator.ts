import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'

/**
 * Operator behind `executeAndCollect`: keeps all values, in state as well, and reports them as an accumulator at the
 * end. Exactly once, because a restored attempt continues from the values of its checkpoint.
 */
export function collectOperator(accumulatorName: string): OperatorFactory {
  return {
    kind: 'collect',
    create(context: OperatorContext): StreamOperator {
      const state = context.operatorState.listState<unknown>('CollectedValues')
      const values: unknown[] = [...state.get()]
      const processElement = context.generate<Push>(['values'], 'return value => { values.push(value) }', [
        values,
      ])
      return {
        processElement,
        snapshotState: () => state.update([...values]),
        finish: () => context.setAccumulator(accumulatorName, values),
      }
    },
  }
}
