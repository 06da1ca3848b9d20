import type { JobExecutionResult } from '@flink-ts/jobgraph'
import type { StreamNode, StreamNodeOptions } from '../graph/stream-graph.ts'

/** What streams need from their environment. */
export interface GraphBuilder {
  /**
   * Adds an operator to the job being built.
   * @param call the user's call, for messages
   */
  addOperator(call: string, options: Omit<StreamNodeOptions, 'parallelism'>): StreamNode
  execute(jobName?: string): Promise<JobExecutionResult>
}
