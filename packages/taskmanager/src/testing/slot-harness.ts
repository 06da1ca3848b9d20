import { type ExecutionAttemptId, nullLogger, type SerializedError, SystemClock } from '@flink-ts/common'
import type {
  ChannelDeployment,
  CheckpointAcknowledgement,
  CheckpointDecline,
  CheckpointTrigger,
  EdgeDeployment,
  TaskDeployment,
  TaskExecutionStateUpdate,
} from '@flink-ts/gateways'
import type { CheckpointSettings, JobEdge, JobGraph, JobVertex, Partitioning } from '@flink-ts/jobgraph'
import type { ChannelWriter } from '@flink-ts/network'
import type {
  EdgePartitioner,
  OperatorContext,
  Push,
  ReplayedProgram,
  StreamOperator,
} from '@flink-ts/operators'
import { keyGroupOf, subtaskOfKeyGroup } from '@flink-ts/serialization'
import {
  type CheckpointStorage,
  createHashMapKeyedStateBackend,
  createOperatorStateBackend,
  type StateLocation,
  type TaskStateSnapshot,
} from '@flink-ts/state'
import { SlotLoop } from '../mailbox/slot-loop.ts'
import { DirectChannel } from '../stream-task/direct-channel.ts'
import type { OverdraftLimits } from '../stream-task/overdraft.ts'
import { StreamTask } from '../stream-task/stream-task.ts'
import { MemoryRing } from './memory-ring.ts'

export interface OperatorSpec {
  readonly name: string
  readonly create: (context: OperatorContext) => StreamOperator
  readonly keySelector?: (value: never) => unknown
}

interface VertexSpec {
  readonly name: string
  readonly parallelism?: number
  /** A linear chain. */
  readonly operators: readonly OperatorSpec[]
}

interface EdgeSpec {
  readonly from: string
  readonly to: string
  readonly partitioning?: Partitioning
  readonly input?: number
  /** With partitioning `hash`. */
  readonly keySelector?: (value: never) => unknown
  readonly outputTag?: string
  /** Default: direct. A ring may have its capacity given in items. */
  readonly channel?: 'direct' | 'ring' | { readonly capacity: number }
}

export interface HarnessSpec {
  readonly vertices: readonly VertexSpec[]
  readonly edges: readonly EdgeSpec[]
  readonly checkpoints?: 'exactly-once' | 'at-least-once' | 'none'
  readonly unaligned?: CheckpointSettings['unaligned']
  readonly restore?: Readonly<Record<string, TaskStateSnapshot>>
  readonly overdraftLimits?: OverdraftLimits
}

/** Tasks of one job in one loop of this thread, with fake operators and channels in memory. For tests. */
export class SlotHarness {
  readonly tasks = new Map<string, StreamTask>()
  readonly rings = new Map<string, MemoryRing>()
  readonly updates: TaskExecutionStateUpdate[] = []
  readonly acknowledged: (CheckpointAcknowledgement & { task: string })[] = []
  readonly declined: (CheckpointDecline & { task: string })[] = []
  readonly endOfData: string[] = []
  readonly operatorEvents: { attemptId: string; operatorId: string; event: Uint8Array }[] = []
  readonly loop: SlotLoop
  readonly crashes: unknown[] = []
  readonly #spec: HarnessSpec
  readonly #graph: JobGraph
  readonly #program: ReplayedProgram
  readonly #registers = new Map<string, Float64Array>()
  readonly #direct = new Map<string, DirectChannel>()
  /** What triggers say of savepoints. */
  savepoint: CheckpointTrigger['savepoint'] = false
  readonly #storage = new MemoryStorage()

  constructor(spec: HarnessSpec) {
    this.#spec = spec
    const { graph, program } = graphOf(spec)
    this.#graph = graph
    this.#program = program
    this.loop = new SlotLoop({
      clock: new SystemClock(),
      // Everything here is in this thread: whoever changes something wakes the loop.
      bell: { version: () => 0, wait: () => {} },
      onCrash: error => this.crashes.push(error),
    })
    for (const vertex of graph.vertices) {
      for (let i = 0; i < vertex.parallelism; i++) this.#deploy(vertex, i)
    }
  }

  start(): this {
    for (const task of this.tasks.values()) {
      this.loop.add(task)
      // Failures are reported as states.
      void task.start()
    }
    return this
  }

  task(name: string, subtask = 0): StreamTask {
    return this.tasks.get(`${name}/${subtask}`)!
  }

  /** The register of a task, to write into its rings from outside. */
  register(name: string, subtask = 0): Float64Array {
    return this.#registers.get(`${name}/${subtask}`)!
  }

  ring(from: string, to: string, producer = 0, consumer = 0): MemoryRing {
    return this.rings.get(`${from}/${producer}->${to}/${consumer}`)!
  }

  directChannel(from: string, to: string, producer = 0, consumer = 0): DirectChannel {
    return this.#direct.get(`${from}/${producer}->${to}/${consumer}`)!
  }

  /** Last state reported by a task. */
  status(name: string, subtask = 0): string | undefined {
    const id = `${name}/${subtask}`
    return this.updates.findLast(update => update.attemptId === id)?.status
  }

  error(name: string, subtask = 0): SerializedError | undefined {
    const id = `${name}/${subtask}`
    return this.updates.findLast(update => update.attemptId === id)?.error
  }

  async allRunning(): Promise<void> {
    await this.until(() =>
      [...this.tasks.keys()].every(id =>
        this.updates.some(u => u.attemptId === id && u.status === 'RUNNING'),
      ),
    )
  }

  trigger(checkpointId: number, ...names: readonly string[]): void {
    for (const name of names) {
      for (const [id, task] of this.tasks) {
        if (id.startsWith(`${name}/`))
          task.triggerCheckpoint({
            checkpointId,
            timestamp: new SystemClock().now(),
            savepoint: this.savepoint,
          })
      }
    }
  }

  complete(checkpointId: number): void {
    for (const task of this.tasks.values()) task.notifyCheckpointComplete(checkpointId)
    this.loop.wake()
  }

  /** State that a task acknowledged. */
  snapshot(name: string, checkpointId: number, subtask = 0): TaskStateSnapshot | undefined {
    const id = `${name}/${subtask}`
    return this.acknowledged.find(ack => ack.task === id && ack.checkpointId === checkpointId)?.state
  }

  /** Elements of an operator list in an acknowledged snapshot. */
  async listState<T>(snapshot: TaskStateSnapshot, list: string, operator = 0): Promise<readonly T[]> {
    const state = snapshot.operators[operator]!
    const backend = await createOperatorStateBackend(state.operator, this.#storage)
    return backend.listState<T>(list).get()
  }

  async until(condition: () => boolean, what = 'condition'): Promise<void> {
    for (let turn = 0; turn < 50_000; turn++) {
      if (condition()) return
      await new Promise<void>(resolve => setImmediate(resolve))
    }
    const states = [...this.tasks.keys()].map(id => {
      const update = this.updates.findLast(u => u.attemptId === id)
      return `${id} ${update?.status} ${update?.error?.message ?? ''}`
    })
    throw new Error(`waited in vain for: ${what}; ${states.join(', ')}`)
  }

  async turns(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await new Promise<void>(resolve => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    for (const task of this.tasks.values()) task.cancel()
    await this.until(() => [...this.tasks.values()].every(task => task.ended), 'end of all tasks')
    this.loop.stop()
  }

  #deploy(vertex: JobVertex, subtaskIndex: number): void {
    const id = `${vertex.name}/${subtaskIndex}`
    const timestamp = this.#registerOf(id)
    const side = (edge: JobEdge, partner: string): EdgeDeployment => {
      const partnerParallelism = this.#graph.vertices.find(v => v.id === partner)!.parallelism
      const channels: ChannelDeployment[] = []
      for (let p = 0; p < partnerParallelism; p++) {
        if (edge.partitioning === 'forward' && p !== subtaskIndex) continue
        const [from, to] = edge.source === vertex.id ? [id, `${partner}/${p}`] : [`${partner}/${p}`, id]
        channels.push({ channelId: `${from}->${to}`, partner: undefined as never })
      }
      return { edge, partnerParallelism, channels }
    }
    const restored = this.#spec.restore?.[id]
    const deployment: TaskDeployment = {
      job: {
        jobId: this.#graph.jobId,
        graph: this.#graph,
        program: undefined as never,
        blobAddress: '',
        checkpointDirectory: 'memory:',
      },
      allocationId: 'a' as never,
      attemptId: id as ExecutionAttemptId,
      attemptNumber: 0,
      vertexId: vertex.id,
      subtaskIndex,
      inputs: this.#graph.edges.filter(e => e.target === vertex.id).map(e => side(e, e.source)),
      outputs: this.#graph.edges.filter(e => e.source === vertex.id).map(e => side(e, e.target)),
      restore: restored === undefined ? undefined : { checkpointId: 1, state: restored },
    }
    const task = new StreamTask(
      {
        deployment,
        program: this.#program,
        timestamp,
        overdraftLimits: this.#spec.overdraftLimits ?? { maxBytes: 1e9, maxRecords: 1e6 },
      },
      {
        loop: this.loop,
        clock: new SystemClock(),
        logger: nullLogger,
        reporter: {
          status: update => this.updates.push(update),
          closing: () => {},
          acknowledge: ack => this.acknowledged.push({ ...ack, task: id }),
          decline: decline => this.declined.push({ ...decline, task: id }),
          endOfData: () => this.endOfData.push(id),
          files: { made: () => {}, covered: () => {}, gone: () => {} },
          operatorEvent: (operatorId, event) =>
            this.operatorEvents.push({ attemptId: id, operatorId, event }),
        },
        channels: {
          reader: (channelId, register) =>
            this.#channel(
              channelId,
              c => c,
              r => r.reader(register),
            ),
          writer: (channelId, register, overdraft) =>
            this.#channel(
              channelId,
              c => c.bound(overdraft),
              r => r.writer(register, overdraft),
            ),
          recordWriter: (partitioner, writers) => testPartitioner(partitioner, writers),
        },
        backends: {
          keyed: (options, handles) => createHashMapKeyedStateBackend(options, handles, this.#storage),
          operator: handles => createOperatorStateBackend(handles, this.#storage),
          read: location => this.#storage.read(location),
        },
        storage: this.#storage,
        savepoints: this.#storage,
        onEnded: () => this.loop.remove(task),
      },
    )
    this.tasks.set(id, task)
  }

  #channel<R>(channelId: string, direct: (c: DirectChannel) => R, ring: (r: MemoryRing) => R): R {
    const [from, to] = channelId.split('->') as [string, string]
    const spec = this.#spec.edges.find(e => e.from === from.split('/')[0] && e.to === to.split('/')[0])!
    if (spec.channel === undefined || spec.channel === 'direct') {
      let channel = this.#direct.get(channelId)
      if (channel === undefined) {
        channel = new DirectChannel(this.#registerOf(from))
        this.#direct.set(channelId, channel)
      }
      return direct(channel)
    }
    let memory = this.rings.get(channelId)
    if (memory === undefined) {
      const capacity = spec.channel === 'ring' ? 1000 : spec.channel.capacity
      memory = new MemoryRing({ capacity }, { wake: () => this.loop.wake() })
      this.rings.set(channelId, memory)
    }
    return ring(memory)
  }

  #registerOf(id: string): Float64Array {
    let register = this.#registers.get(id)
    if (register === undefined) {
      register = new Float64Array([Number.NaN])
      this.#registers.set(id, register)
    }
    return register
  }
}

function graphOf(spec: HarnessSpec): { graph: JobGraph; program: ReplayedProgram } {
  let nodeId = 0
  const factories = new Map<number, OperatorSpec>()
  const vertices: JobVertex[] = spec.vertices.map(({ name, parallelism = 1, operators }) => ({
    id: name as never,
    name,
    parallelism,
    maxParallelism: 128,
    slotSharingGroup: 'default',
    operators: operators.map((operator, i) => {
      factories.set(++nodeId, operator)
      const chainedOutputs = i + 1 < operators.length ? [nodeId + 1] : []
      return {
        nodeId,
        operatorId: `${name}-${operator.name}` as never,
        uid: undefined,
        name: operator.name,
        kind: operator.name,
        chainedOutputs,
      }
    }),
  }))
  const edges: JobEdge[] = spec.edges.map((edge, edgeId) => ({
    edgeId,
    source: edge.from as never,
    sourceNodeId: vertices.find(v => v.name === edge.from)!.operators.at(-1)!.nodeId,
    outputTag: edge.outputTag,
    target: edge.to as never,
    targetInput: edge.input ?? 0,
    partitioning: edge.partitioning ?? 'rebalance',
  }))
  const checkpointing: CheckpointSettings = {
    intervalMs: spec.checkpoints === 'none' ? undefined : 1000,
    mode: spec.checkpoints === 'at-least-once' ? 'at-least-once' : 'exactly-once',
    unaligned: spec.unaligned,
    minPauseMs: 0,
    timeoutMs: 10_000,
    maxConcurrent: 1,
    tolerableFailures: 0,
    directory: undefined,
    retained: 1,
    externalizedRetention: 'no-externalized-checkpoints',
  }
  const graph: JobGraph = {
    jobId: 'job' as never,
    name: 'test',
    vertices,
    edges,
    fingerprint: '',
    fingerprintLines: [],
    checkpointing,
    restoreFrom: undefined,
    restartStrategy: undefined,
    autoWatermarkIntervalMs: 200,
    bufferTimeoutMs: 100,
    globalJobParameters: {},
  }
  const program: ReplayedProgram = {
    fingerprint: '',
    fingerprintLines: [],
    operatorFactory: id => ({
      kind: factories.get(id)!.name,
      create: context => factories.get(id)!.create(context),
    }),
    partitioner: edgeId => ({
      type: edges[edgeId]!.partitioning as 'hash',
      keySelector: spec.edges[edgeId]!.keySelector!,
    }),
    keySelector: id => factories.get(id)!.keySelector,
  }
  return { graph, program }
}

function testPartitioner(partitioner: EdgePartitioner, writers: readonly ChannelWriter[]): Push {
  let next = 0
  if (writers.length === 1) return writers[0]!.write
  if (partitioner.type === 'broadcast') {
    return record => {
      for (const writer of writers) writer.write(record)
    }
  }
  if (partitioner.type === 'hash') {
    const { keySelector } = partitioner
    return record => {
      const group = keyGroupOf(keySelector(record as never), 128)
      writers[subtaskOfKeyGroup(128, writers.length, group)]!.write(record)
    }
  }
  return record => {
    writers[next]!.write(record)
    next = (next + 1) % writers.length
  }
}

class MemoryStorage implements CheckpointStorage {
  async prepare(): Promise<void> {}

  streams() {
    return {
      open: () => {
        const parts: Uint8Array[] = []
        return Promise.resolve({
          get position() {
            return parts.reduce((sum, part) => sum + part.length, 0)
          },
          write: async (bytes: Uint8Array) => {
            parts.push(Buffer.from(bytes))
          },
          close: async (): Promise<StateLocation> => ({
            type: 'inline',
            base64: Buffer.concat(parts).toString('base64'),
          }),
          discard: async () => {},
        })
      },
    }
  }

  async read(location: StateLocation): Promise<Buffer> {
    if (location.type !== 'inline') throw new Error('only inline here')
    return Buffer.from(location.base64, 'base64')
  }

  async readRange(location: StateLocation, start: number, end: number): Promise<Buffer> {
    return (await this.read(location)).subarray(start, end)
  }

  complete(): Promise<string> {
    throw new Error('not in a slot thread')
  }

  readMetadata(): Promise<never> {
    throw new Error('not in a slot thread')
  }

  async retire(): Promise<void> {}
  async discard(): Promise<void> {}
  async discardJob(): Promise<void> {}
}
