import { userFrameOf } from '@flink-ts/jobgraph'

/** Where the user's code calls the API now, as `file:line:column`; undefined if that cannot be told. For messages. */
export function userPlace(): string | undefined {
  const { stack } = new Error('only for its stack')
  return stack === undefined ? undefined : userFrameOf(stack)
}
