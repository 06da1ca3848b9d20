import type { StreamNode } from '../graph/stream-graph.ts'

/** The end of a stream: settings of its sink operator. */
export class DataStreamSink {
  readonly #node: StreamNode

  constructor(node: StreamNode) {
    this.#node = node
  }

  /** Name in plans, metrics and logs; the state of the sink is found by it unless it has a uid. */
  name(name: string): this {
    this.#node.setName(name)
    return this
  }

  /** Identity of the sink's state over changes of the program: unique in the job. */
  uid(uid: string): this {
    this.#node.setUid(uid)
    return this
  }

  setParallelism(parallelism: number): this {
    this.#node.setParallelism(parallelism)
    return this
  }

  /** Operators of different groups do not share slots. */
  slotSharingGroup(group: string): this {
    this.#node.setSlotSharingGroup(group)
    return this
  }

  /** Makes a task of the sink alone. */
  disableChaining(): this {
    this.#node.setChaining('never')
    return this
  }
}
