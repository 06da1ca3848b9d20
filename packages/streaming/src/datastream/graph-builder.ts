import type { JobClient, JobExecutionResult } from '@flink-ts/jobgraph'
import type { KeySelector } from '@flink-ts/operators'
import type { StreamNode, StreamNodeOptions, Upstream } from '../graph/stream-graph.ts'
import type { Loop } from './iteration-head.ts'
import type { IterativeStream } from './iterative-stream.ts'
import type { KeyedStream } from './keyed-stream.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'

/** What streams need from their environment. */
export interface GraphBuilder {
  /**
   * Adds an operator to the job being built.
   * @param call the user's call, for messages
   */
  addOperator(call: string, options: Omit<StreamNodeOptions, 'parallelism'>): StreamNode
  /** The stream grouped by key: made here, because {@link KeyedStream} extends the class whose method asks for it. */
  keyed<T, K>(upstreams: readonly Upstream[], keySelector: KeySelector<T, K>): KeyedStream<T, K>
  /** The stream that an operator emits: made here for the same reason. */
  single<T>(node: StreamNode): SingleOutputStreamOperator<T>
  /** The stream behind the head of a loop: made here for the same reason. */
  iterative<T>(head: StreamNode, loop: Loop): IterativeStream<T>
  execute(jobName?: string): Promise<JobExecutionResult>
  /** Has `action` called with the job being built when it is executed; the promise may reject. */
  onExecuted(action: (job: Promise<JobClient>) => void): void
}
