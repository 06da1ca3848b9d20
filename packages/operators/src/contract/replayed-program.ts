import type { OperatorFactory } from './stream-operator.ts'

/** How an edge chooses the channel of a record. The functions are the user's, from the replay. */
export type EdgePartitioner =
  | { readonly type: 'forward' | 'rebalance' | 'rescale' | 'shuffle' | 'broadcast' | 'global' }
  | {
      readonly type: 'hash'
      readonly keySelector: (value: never) => unknown
      /** Where the program says so, `file:line:column`, for messages. */
      readonly place?: string | undefined
    }
  | { readonly type: 'custom'; readonly partition: (value: never, channels: number) => number }

/** The functions of a job graph: what a replay of `main` gives, looked up by the graph's node and edge ids. */
export interface ReplayedProgram {
  readonly fingerprint: string
  readonly fingerprintLines: readonly string[]
  operatorFactory(nodeId: number): OperatorFactory
  partitioner(edgeId: number): EdgePartitioner
  /** Key selector of a keyed operator's input; undefined if it is not keyed. */
  keySelector(nodeId: number, input: number): ((value: never) => unknown) | undefined
}
