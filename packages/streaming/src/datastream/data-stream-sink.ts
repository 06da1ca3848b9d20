import type { StreamNode } from '../graph/stream-graph.ts'

/** The end of a stream: settings of its sink operator. */
export class DataStreamSink {
  readonly #node: StreamNode
  /** Of sinks that have their writers and committers in operators of their own. */
  readonly #writer: StreamNode | undefined

  constructor(node: StreamNode, writer?: StreamNode) {
    this.#node = node
    this.#writer = writer
  }

  /** Name in plans, metrics and logs; the state of the sink is found by it unless it has a uid. */
  name(name: string): this {
    this.#node.setName(name)
    this.#writer?.setName(`${name}: Writer`)
    return this
  }

  /** Identity of the sink's state over changes of the program: unique in the job. */
  uid(uid: string): this {
    this.#node.setUid(uid)
    this.#writer?.setUid(`${uid}-writer`)
    return this
  }

  setParallelism(parallelism: number): this {
    this.#node.setParallelism(parallelism)
    this.#writer?.setParallelism(parallelism)
    return this
  }

  /** Operators of different groups do not share slots. */
  slotSharingGroup(group: string): this {
    this.#node.setSlotSharingGroup(group)
    this.#writer?.setSlotSharingGroup(group)
    return this
  }

  /** Makes a task of the sink alone. */
  disableChaining(): this {
    this.#node.setChaining('never')
    return this
  }
}
