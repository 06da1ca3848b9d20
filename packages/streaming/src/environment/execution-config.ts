import { type Duration, durationMs } from '@flink-ts/operators'
import { AUTO_WATERMARK_INTERVAL } from '../streaming-options.ts'
import type { SetOption } from './checkpoint-config.ts'
import { ParameterTool } from './parameter-tool.ts'

/** Settings of a job's execution: {@link StreamExecutionEnvironment.getConfig}. */
export class ExecutionConfig {
  #globalJobParameters: Readonly<Record<string, string>> = {}
  readonly #set: SetOption

  constructor(set: SetOption) {
    this.#set = set
  }

  /** Time between periodic watermarks; 0 switches them off. */
  setAutoWatermarkInterval(interval: Duration): this {
    this.#set(AUTO_WATERMARK_INTERVAL, durationMs(interval, 'setAutoWatermarkInterval'))
    return this
  }

  /** Parameters that every function sees in its runtime context, and the web page shows. */
  setGlobalJobParameters(parameters: Readonly<Record<string, string>> | ParameterTool): this {
    this.#globalJobParameters = parameters instanceof ParameterTool ? parameters.toMap() : { ...parameters }
    return this
  }

  getGlobalJobParameters(): Readonly<Record<string, string>> {
    return this.#globalJobParameters
  }
}
