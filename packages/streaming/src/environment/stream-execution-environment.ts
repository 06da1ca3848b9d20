import { type ConfigOption, Configuration } from '@flink-ts/common'
import {
  type CachedFile,
  type CheckpointSettings,
  currentExecutionContext,
  type ExecutionContext,
  type ExecutionTarget,
  hostSecret,
  type JobClient,
  type JobExecutionResult,
  type RestartStrategy,
  withRestartStrategy,
} from '@flink-ts/jobgraph'
import {
  CollectionSource,
  type Duration,
  durationMs,
  NumberSequenceSource,
  type SocketTextOptions,
  SocketTextSource,
  type Source,
  sourceOperator,
  WatermarkStrategy,
} from '@flink-ts/operators'
import { STATE_BACKEND } from '@flink-ts/state'
import type { GraphBuilder } from '../datastream/graph-builder.ts'
import { IterativeStream } from '../datastream/iterative-stream.ts'
import { KeyedStream } from '../datastream/keyed-stream.ts'
import { SingleOutputStreamOperator } from '../datastream/single-output-stream-operator.ts'
import { EmptyJob, InvalidArgument } from '../errors.ts'
import {
  type BatchForm,
  requireParallelism,
  StreamGraph,
  type StreamNode,
  type StreamNodeOptions,
} from '../graph/stream-graph.ts'
import { translate } from '../graph/translate.ts'
import * as options from '../streaming-options.ts'
import { CheckpointConfig } from './checkpoint-config.ts'
import { directoryUri } from './directory-uri.ts'
import { ExecutionConfig } from './execution-config.ts'
import { type JobListener, JobListeners } from './job-listener.ts'
import { jobSettingsOf } from './job-settings.ts'
import type { StateBackendChoice } from './state-backends.ts'

const DEFAULT_JOB_NAME = 'Flink Streaming Job'

/**
 * Where jobs are built and executed. The same program runs in slots again (replay): until `execute` it must do the
 * same each time; what is read from outside goes through {@link StreamExecutionEnvironment.capture}.
 *
 * Settings of the program win over those of whoever runs it (`flink run -p 4 -D ...`), which win over defaults.
 *
 * @example
 * const env = StreamExecutionEnvironment.getExecutionEnvironment()
 * env.fromElements('to be', 'or not').flatMap(line => line.split(' ')).print()
 * await env.execute('words')
 */
export class StreamExecutionEnvironment {
  readonly #context: ExecutionContext
  readonly #builder: GraphBuilder
  readonly #executionConfig: ExecutionConfig
  readonly #checkpointConfig: CheckpointConfig
  readonly #listeners = new JobListeners()
  readonly #target: ExecutionTarget | undefined
  /** Called with the job that is being built. */
  #onExecuted: ((job: Promise<JobClient>) => void)[] = []
  readonly #cachedFiles = new Map<string, CachedFile>()
  #configuration: Configuration
  #graph = new StreamGraph()

  private constructor(context: ExecutionContext, configuration: Configuration, target?: ExecutionTarget) {
    this.#context = context
    this.#target = target
    this.#configuration = Configuration.of(context.configuration, 'client').with(configuration)
    const set = <T>(option: ConfigOption<T>, value: T): void => {
      this.#configuration = this.#configuration.set(option, value, 'program')
    }
    this.#executionConfig = new ExecutionConfig(set)
    this.#checkpointConfig = new CheckpointConfig(set)
    this.#builder = {
      addOperator: (call, node) => this.#add(call, node),
      keyed: (upstreams, keySelector) => new KeyedStream(this.#builder, upstreams, keySelector),
      single: node => new SingleOutputStreamOperator(this.#builder, node),
      iterative: (head, loop) => new IterativeStream(this.#builder, head, loop),
      execute: jobName => this.execute(jobName),
      onExecuted: action => this.#onExecuted.push(action),
    }
  }

  /**
   * The environment of this program: a cluster's under `flink run`, a MiniCluster in this process under `node job.ts`.
   * @param configuration settings by Flink's keys, as if set in the program
   */
  static getExecutionEnvironment(
    configuration: Configuration | Readonly<Record<string, string>> = {},
  ): StreamExecutionEnvironment {
    return new StreamExecutionEnvironment(currentExecutionContext(), ownConfiguration(configuration))
  }

  /**
   * Runs jobs on a MiniCluster in this process, whatever else is configured: `node job.ts`. Not under `flink run`.
   * @param parallelism default parallelism; that of the processor if absent
   */
  static createLocalEnvironment(
    parallelism?: number,
    configuration: Configuration | Readonly<Record<string, string>> = {},
  ): StreamExecutionEnvironment {
    const own = ownConfiguration(configuration)
    const env = new StreamExecutionEnvironment(currentExecutionContext(), own, { type: 'local' })
    return parallelism === undefined ? env : env.setParallelism(parallelism)
  }

  /**
   * As {@link createLocalEnvironment}, and each job shows itself on the web page while it runs; its address is written
   * to standard error.
   * @param configuration `rest.port` is the port, 8081 if absent, 0 any free one
   */
  static createLocalEnvironmentWithWebUI(
    configuration: Configuration | Readonly<Record<string, string>> = {},
  ): StreamExecutionEnvironment {
    const own = ownConfiguration(configuration)
    const given = own.toRecord()['rest.port'] ?? '8081'
    const restPort = /^\d{1,5}$/.test(given) ? Number(given) : Number.NaN
    if (!(restPort <= 65535)) {
      const call = 'createLocalEnvironmentWithWebUI'
      throw InvalidArgument({ call, value: given, expected: 'a port from 0 to 65535 as rest.port' })
    }
    return new StreamExecutionEnvironment(currentExecutionContext(), own, { type: 'local', restPort })
  }

  /**
   * Submits jobs to a running cluster from `node job.ts`: the program is bundled and travels, as under `flink run`.
   * @param host of the JobManager
   * @param port its `jobmanager.rpc.port`
   * @param configuration of the jobs, and how to reach the cluster: `security.auth.token-file`, `client.timeout`
   */
  static createRemoteEnvironment(
    host: string,
    port = 6123,
    configuration: Configuration | Readonly<Record<string, string>> = {},
  ): StreamExecutionEnvironment {
    const call = 'createRemoteEnvironment'
    if (typeof host !== 'string' || host === '') {
      throw InvalidArgument({ call, value: String(host), expected: 'the name of a host' })
    }
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw InvalidArgument({ call, value: String(port), expected: 'a port from 1 to 65535' })
    }
    const own = ownConfiguration(configuration)
    const target = { type: 'remote', address: `${host}:${port}`, configuration: own.toRecord() } as const
    return new StreamExecutionEnvironment(currentExecutionContext(), own, target)
  }

  /** Arguments of the program, as given after it on the command line. */
  get args(): readonly string[] {
    return this.#context.args
  }

  /** Parallelism of operators made from here on that set none themselves. */
  setParallelism(parallelism: number): this {
    requireParallelism('env.setParallelism', parallelism)
    return this.#set(options.PARALLELISM, parallelism)
  }

  getParallelism(): number {
    return this.#configuration.get(options.PARALLELISM)
  }

  /** Number of key groups of operators that set none themselves. */
  setMaxParallelism(maxParallelism: number): this {
    requireParallelism('env.setMaxParallelism', maxParallelism)
    return this.#set(options.MAX_PARALLELISM, maxParallelism)
  }

  /**
   * Takes checkpoints every `interval`, at least 10 ms; `mode`: that of the configuration if absent, which is exactly-once
   * by default. @example env.enableCheckpointing('10 s')
   */
  enableCheckpointing(interval: Duration, mode?: CheckpointSettings['mode']): this {
    this.#checkpointConfig.setCheckpointInterval(interval)
    if (mode !== undefined) this.#checkpointConfig.setCheckpointingMode(mode)
    return this
  }

  /**
   * Where keyed state is kept: `hashmap`, `rocksdb`, a module whose default export is a StateBackend, or Flink's classes for it.
   * @example env.setStateBackend(new HashMapStateBackend())
   */
  setStateBackend(backend: string | StateBackendChoice): this {
    const { type, checkpointDirectory }: StateBackendChoice =
      typeof backend === 'string' ? { type: backend } : backend
    if (typeof type !== 'string' || type === '') {
      throw InvalidArgument({
        call: 'env.setStateBackend',
        value: String(type),
        expected: "a name such as 'hashmap', a module, or a state backend",
      })
    }
    if (checkpointDirectory !== undefined) this.#checkpointConfig.setCheckpointStorage(checkpointDirectory)
    return this.#set(STATE_BACKEND, type)
  }

  getCheckpointConfig(): CheckpointConfig {
    return this.#checkpointConfig
  }

  getConfig(): ExecutionConfig {
    return this.#executionConfig
  }

  /** What happens when the job fails; without it, what the cluster is configured to do. @example env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, '1 s')) */
  setRestartStrategy(strategy: RestartStrategy): this {
    this.#configuration = withRestartStrategy(this.#configuration, strategy)
    return this
  }

  /**
   * STREAMING (default): results as they come. BATCH: for bounded inputs; `reduce`, aggregates and windows by key give
   * their results once, when all is read; there are no watermarks before the end, no late records and no checkpoints.
   * AUTOMATIC: BATCH if all sources are bounded. `execution.runtime-mode` without a change of the program.
   */
  setRuntimeMode(mode: options.RuntimeExecutionMode): this {
    if (mode !== 'STREAMING' && mode !== 'BATCH' && mode !== 'AUTOMATIC') {
      const expected = 'STREAMING, BATCH or AUTOMATIC'
      throw InvalidArgument({ call: 'env.setRuntimeMode', value: String(mode), expected })
    }
    return this.#set(options.RUNTIME_MODE, mode)
  }

  /** Time after which a started batch of records is sent: 0 after each record, -1 only when it is full. */
  setBufferTimeout(timeout: Duration): this {
    return this.#set(options.BUFFER_TIMEOUT, durationMs(timeout, 'setBufferTimeout', -1))
  }

  /** Makes a task of each operator. */
  disableOperatorChaining(): this {
    return this.#set(options.OPERATOR_CHAINING, false)
  }

  /**
   * Evaluates `read` once, when the job is planned; each replay gets that value. For files, the network, the date:
   * everything that could be different at another time or on another machine. Plain data only.
   * @example const rules = env.capture('rules', () => JSON.parse(readFileSync('rules.json', 'utf8')))
   */
  capture<T>(name: string, read: () => T): T {
    return this.#context.capture(name, read)
  }

  /**
   * The value of an environment variable that must not travel with the job, such as a password: each process that
   * evaluates main reads its own. Do not let the topology depend on it. Throws `jobgraph.secret-missing`.
   * @example const sink = new OrdersSink({ password: env.secret('ORDERS_PASSWORD') })
   */
  secret(name: string): string {
    return hostSecret(name)
  }

  /**
   * Has each TaskManager that runs the job copy a file or folder once, for `context.getDistributedCache().getFile(name)`:
   * a path, or a URI of any storage (`hdfs:`, `s3:`). It is read where and when the job is submitted, and the copies are
   * removed with the job. @param executable its files may be executed
   * @example env.registerCachedFile('data/countries.csv', 'countries')
   */
  registerCachedFile(path: string, name: string, executable = false): this {
    const call = 'env.registerCachedFile'
    if (typeof path !== 'string' || path === '') {
      throw InvalidArgument({ call, value: String(path), expected: 'a path or a URI' })
    }
    if (typeof name !== 'string' || name === '') {
      throw InvalidArgument({ call, value: `the name ${JSON.stringify(name)}`, expected: 'a text' })
    }
    if (this.#cachedFiles.has(name)) {
      throw InvalidArgument({
        call,
        value: `the name '${name}' again`,
        expected: 'each file a name of its own',
      })
    }
    this.#cachedFiles.set(name, { name, uri: directoryUri(path), executable })
    return this
  }

  /** The given values, from one subtask. */
  fromElements<T>(...elements: readonly T[]): SingleOutputStreamOperator<T> {
    return this.#collection('fromElements', elements)
  }

  /** The values of an array or another iterable, read at once, from one subtask. */
  fromCollection<T>(elements: Iterable<T>): SingleOutputStreamOperator<T> {
    if (typeof elements?.[Symbol.iterator] !== 'function') {
      throw InvalidArgument({
        call: 'env.fromCollection',
        value: String(elements),
        expected: 'an array or another iterable',
      })
    }
    return this.#collection('fromCollection', [...elements])
  }

  /** The whole numbers from `from` to `to`, both included, in parallel. */
  fromSequence(from: number, to: number): SingleOutputStreamOperator<number> {
    const source = new NumberSequenceSource(from, to)
    return this.#source('env.fromSequence', source, WatermarkStrategy.noWatermarks(), {
      defaultName: 'Source: Sequence',
    })
  }

  /**
   * Lines of text from a TCP server, in one subtask. With `options` it connects again when the connection is gone; what
   * a failure of the job loses does not come again.
   * @param delimiter what ends a record
   */
  socketTextStream(
    host: string,
    port: number,
    delimiter = '\n',
    options: Omit<SocketTextOptions, 'host' | 'port' | 'delimiter'> = {},
  ): SingleOutputStreamOperator<string> {
    const source = new SocketTextSource({ ...options, host, port, delimiter })
    return this.#source('env.socketTextStream', source, WatermarkStrategy.noWatermarks(), {
      defaultName: 'Source: Socket',
      nonParallel: true,
    })
  }

  /**
   * A stream from any source.
   * @example env.fromSource(new DataGeneratorSource({ generator: i => i, count: 100 }), WatermarkStrategy.noWatermarks(), 'numbers')
   */
  fromSource<T, S>(
    source: Source<T, S>,
    strategy: WatermarkStrategy<T>,
    name: string,
  ): SingleOutputStreamOperator<T> {
    if (typeof source?.createReader !== 'function') {
      throw InvalidArgument({
        call: 'env.fromSource',
        value: String(source),
        expected: 'a source (did you call build()?)',
      })
    }
    if (!(strategy instanceof WatermarkStrategy)) {
      throw InvalidArgument({
        call: 'env.fromSource',
        value: String(strategy),
        expected: 'a watermark strategy such as WatermarkStrategy.noWatermarks()',
      })
    }
    if (typeof name !== 'string' || name === '') {
      throw InvalidArgument({
        call: 'env.fromSource',
        value: `the name ${JSON.stringify(name)}`,
        expected: 'a text',
      })
    }
    const nonParallel = source.nonParallel === true
    return this.#source('env.fromSource', source, strategy, { defaultName: 'Source', name, nonParallel })
  }

  /** Submits the job and waits for its end. Rejects with the failure of the job. The environment is empty afterwards. */
  async execute(jobName?: string): Promise<JobExecutionResult> {
    const client = await this.executeAsync(jobName)
    return client.result()
  }

  /** Submits the job and returns when it was accepted. The environment is empty afterwards. */
  async executeAsync(jobName?: string): Promise<JobClient> {
    const graph = this.#graph
    if (graph.nodes.length === 0) throw EmptyJob({ call: 'env.execute' })
    const name = jobName ?? this.#configuration.get(options.JOB_NAME) ?? DEFAULT_JOB_NAME
    const parameters = this.#executionConfig.getGlobalJobParameters()
    const jobType = runsAsBatch(this.#configuration.get(options.RUNTIME_MODE), graph) ? 'BATCH' : undefined
    const settings = jobSettingsOf(name, this.#configuration, parameters, jobType)
    const maxParallelism = this.#configuration.get(options.MAX_PARALLELISM)
    const cachedFiles = [...this.#cachedFiles.values()]
    const { jobGraph, program } = translate(
      graph,
      { ...settings, ...(cachedFiles.length > 0 && { cachedFiles }) },
      {
        chainingEnabled: this.#configuration.get(options.OPERATOR_CHAINING),
        maxParallelism: maxParallelism > 0 ? maxParallelism : undefined,
        checkRecords: this.#own.get(options.CHECK_RECORDS),
      },
    )
    this.#graph = new StreamGraph()
    const onExecuted = this.#onExecuted
    this.#onExecuted = []
    const submission = this.#context.executor.execute(jobGraph, program, this.#target)
    const job = this.#context.mode === 'replay' ? submission : this.#listeners.watch(submission)
    for (const action of onExecuted) action(job)
    return job
  }

  /** Has a listener told of all jobs that this environment executes from here on. */
  registerJobListener(listener: JobListener): this {
    this.#listeners.add(listener)
    return this
  }

  /** No listener is told any more. */
  clearJobListeners(): this {
    this.#listeners.clear()
    return this
  }

  /** What of the configuration is for this environment: of a running cluster's, not what a program has for itself. */
  get #own(): Configuration {
    const target = this.#target
    return target?.type === 'remote' ? Configuration.of(target.configuration, 'program') : this.#configuration
  }

  #collection<T>(call: string, elements: readonly T[]): SingleOutputStreamOperator<T> {
    return this.#source(`env.${call}`, new CollectionSource(elements), WatermarkStrategy.noWatermarks(), {
      defaultName: 'Source: Collection',
      nonParallel: true,
    })
  }

  #source<T, S>(
    call: string,
    source: Source<T, S>,
    strategy: WatermarkStrategy<T>,
    node: Pick<StreamNodeOptions, 'defaultName' | 'name' | 'nonParallel'>,
  ): SingleOutputStreamOperator<T> {
    const factory = sourceOperator(source, strategy)
    const batch: BatchForm =
      source.boundedness === 'bounded'
        ? { factory: () => sourceOperator(source, strategy.withoutWatermarks()) }
        : { impossible: 'it reads without end. Give a source that is bounded.' }
    const added = this.#add(call, { ...node, factory, inputs: [], batch })
    return new SingleOutputStreamOperator<T>(this.#builder, added)
  }

  #add(call: string, node: Omit<StreamNodeOptions, 'parallelism'>): StreamNode {
    const parallelism = this.getParallelism()
    requireParallelism(options.PARALLELISM.key, parallelism)
    return this.#graph.add(call, { ...node, parallelism })
  }

  #set<T>(option: ConfigOption<T>, value: T): this {
    this.#configuration = this.#configuration.set(option, value, 'program')
    return this
  }
}

function runsAsBatch(mode: options.RuntimeExecutionMode, { nodes }: StreamGraph): boolean {
  const possible = (): boolean => nodes.every(({ batch }) => batch === undefined || 'factory' in batch)
  return mode === 'BATCH' || (mode === 'AUTOMATIC' && possible())
}

function ownConfiguration(given: Configuration | Readonly<Record<string, string>>): Configuration {
  return given instanceof Configuration ? given : Configuration.of(given, 'program')
}
