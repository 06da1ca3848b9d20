import { iterationTailOperator } from '@flink-ts/operators'
import { IterationClosedTwice } from '../errors.ts'
import type { StreamNode } from '../graph/stream-graph.ts'
import { DataStream } from './data-stream.ts'
import type { GraphBuilder } from './graph-builder.ts'
import type { Loop } from './iteration-head.ts'

/**
 * A stream that gets some of what is made of it back: `closeWith` says what. Watermarks are those of its input, so that
 * records that come back may be late. Flink deprecates iterations.
 * @example
 * const loop = numbers.iterate()
 * const halved = loop.map(n => Math.floor(n / 2))
 * loop.closeWith(halved.filter(n => n > 1))
 * halved.filter(n => n <= 1).print()
 */
export class IterativeStream<T> extends DataStream<T> {
  readonly #head: StreamNode
  readonly #loop: Loop

  /** Made by `iterate`. */
  constructor(builder: GraphBuilder, head: StreamNode, loop: Loop) {
    super(builder, [{ node: head, outputTag: undefined, partitioner: undefined }])
    this.#head = head
    this.#loop = loop
  }

  /** Sends the records of `feedback` back into the loop, once. Gives it back. @throws streaming.iteration-closed-twice */
  closeWith(feedback: DataStream<T>): DataStream<T> {
    if (this.#loop.closed) throw IterationClosedTwice({ operator: this.#head.label })
    this.#loop.closed = true
    const node = feedback.addEnd('closeWith', 'Iteration Tail', iterationTailOperator(this.#loop.iteration))
    node.setParallelism(this.#head.parallelism)
    return feedback
  }
}
