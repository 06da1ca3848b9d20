import { broadcastSetOperator, type OutputTag } from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'
import type { StreamNode } from '../graph/stream-graph.ts'
import { DataStream } from './data-stream.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** The stream that an operator emits, with the settings of that operator. */
export class SingleOutputStreamOperator<T> extends DataStream<T> {
  readonly #node: StreamNode

  constructor(builder: GraphBuilder, node: StreamNode) {
    super(builder, [{ node, outputTag: undefined, partitioner: undefined }])
    this.#node = node
  }

  /** Name in plans, metrics and logs; the state of the operator is found by it unless it has a uid. */
  name(name: string): this {
    this.#node.setName(name)
    return this
  }

  /** Identity of the operator's state over changes of the program: unique in the job. */
  uid(uid: string): this {
    this.#node.setUid(uid)
    return this
  }

  setParallelism(parallelism: number): this {
    this.#node.setParallelism(parallelism)
    return this
  }

  /** The id of the operator's state itself, as logs and snapshots show it: for operators that had no uid yet. */
  setUidHash(uidHash: string): this {
    this.#node.setUidHash(uidHash)
    return this
  }

  /** Runs the operator in one subtask, whatever parallelism is set. */
  forceNonParallel(): this {
    this.#node.setNonParallel()
    return this
  }

  /** Number of key groups: state cannot be spread further than this, and it cannot be changed later. */
  setMaxParallelism(maxParallelism: number): this {
    this.#node.setMaxParallelism(maxParallelism)
    return this
  }

  /** Operators of different groups do not share slots. What follows is in the same group unless it sets its own. */
  slotSharingGroup(group: string): this {
    this.#node.setSlotSharingGroup(group)
    return this
  }

  /** Begins a new task with this operator. */
  startNewChain(): this {
    this.#node.setChaining('head')
    return this
  }

  /** Makes a task of this operator alone. */
  disableChaining(): this {
    this.#node.setChaining('never')
    return this
  }

  /**
   * Gives the operator's functions all records of another bounded stream, which are there when `open` is called:
   * `context.getBroadcastVariable(name)`. Each subtask has them in memory, and keeps its own input there until they are
   * whole: for small sets. BATCH mode only. @throws streaming.invalid-argument
   * @example
   * words.filter(new NotIn('stop words')).withBroadcastSet(stopWords, 'stop words')
   */
  withBroadcastSet<O>(set: DataStream<O>, name: string): this {
    const call = 'withBroadcastSet'
    if (!(set instanceof DataStream)) {
      throw InvalidArgument({ call, value: String(set), expected: 'a DataStream' })
    }
    if (typeof name !== 'string' || name === '') {
      throw InvalidArgument({ call, value: `the name ${JSON.stringify(name)}`, expected: 'a text' })
    }
    const node = set.addEnd(call, `Broadcast Set: ${name}`, broadcastSetOperator(name))
    node.setNonParallel()
    this.#node.addBroadcastSet(name, node)
    return this
  }

  /** What the operator emits to `tag`. @throws streaming.invalid-argument */
  getSideOutput<O>(tag: OutputTag<O>): DataStream<O> {
    if (typeof tag?.id !== 'string') {
      throw InvalidArgument({
        call: 'getSideOutput',
        value: String(tag),
        expected: "a tag: new OutputTag('late')",
      })
    }
    return new DataStream<O>(this.builder, [{ node: this.#node, outputTag: tag.id, partitioner: undefined }])
  }
}
