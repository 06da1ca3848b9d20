import { type SerializedError, serializeError } from '@flink-ts/common'
import type { CheckpointTrigger, TaskDeployment } from '@flink-ts/gateways'
import { subtaskOfKeyGroup } from '@flink-ts/serialization'
import type { OperatorSubtaskState, StateLocation } from '@flink-ts/state'
import { type Barrier, BarrierAligner, type SlotThreadListener } from '@flink-ts/taskmanager'
import type { ChannelMessage, ExchangePeer } from './data-plane.ts'
import { NoState, type SimulatedState, SinkState, SourceState } from './simulated-state.ts'
import { KEYS, keyOf, type SimulatedRecord, type Transaction, type Workload } from './workload.ts'
import type { World } from './world.ts'

type Report = Parameters<SlotThreadListener['report']>[0]

/** How tasks of a run behave. */
export interface TaskPace {
  /** Between two batches of a source. */
  readonly emitEveryMs: number
  /** Records of a batch, of each split. */
  readonly batch: number
  /** From deployment to RUNNING, at most. */
  readonly startMs: number
}

interface TaskDependencies {
  readonly world: World
  readonly peer: ExchangePeer
  readonly workload: Workload
  readonly pace: TaskPace
  readonly report: (report: Report) => void
}

interface InputChannel {
  readonly channelId: string
  readonly messages: ChannelMessage[]
  blocked: boolean
  dataEnded: boolean
}

const NO_METRICS = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

/**
 * Model of a subtask: reads, counts, writes transactions, takes snapshots at barriers. It follows the protocol of the
 * real one (`StreamTask`), whose barrier alignment it uses.
 */
export class SimulatedTask {
  readonly deployment: TaskDeployment
  readonly #deps: TaskDependencies
  readonly #state: SimulatedState
  readonly #inputs: readonly InputChannel[]
  readonly #outputs: readonly { readonly hash: boolean; readonly channels: readonly string[] }[]
  readonly #aligner: BarrierAligner
  /** Triggers that wait for the inputs to end. */
  readonly #triggers: CheckpointTrigger[] = []
  /** Checkpoints whose files are being written. */
  readonly #writing = new Set<number>()
  #phase: 'starting' | 'running' | 'finishing' | 'over' = 'starting'
  #dataEnded = false
  #lastCheckpointId: number | undefined
  #suspendedBy: number | undefined
  #finishedInputs = 0
  #slowUntilMs = 0
  /** Ignores that it is cancelled. */
  #stuck = false

  constructor(deployment: TaskDeployment, dependencies: TaskDependencies) {
    this.deployment = deployment
    this.#deps = dependencies
    this.#state = this.#makeState()
    this.#inputs = deployment.inputs.flatMap(edge =>
      edge.channels.map(({ channelId }) => ({ channelId, messages: [], blocked: false, dataEnded: false })),
    )
    this.#outputs = deployment.outputs.map(({ edge, channels }) => ({
      hash: edge.partitioning === 'hash',
      channels: channels.map(({ channelId }) => channelId),
    }))
    const channels = this.#inputs.length
    const { clock } = dependencies.peer.process
    this.#aligner = new BarrierAligner({ channels }, { listener: this.#barrierListener(), clock })
  }

  get attemptId(): TaskDeployment['attemptId'] {
    return this.deployment.attemptId
  }

  get isOver(): boolean {
    return this.#phase === 'over'
  }

  start(): void {
    const { peer, world, pace } = this.#deps
    const { inputs, outputs } = this.deployment
    for (const { channelId, partner } of outputs.flatMap(edge => edge.channels))
      world.dataPlane.openOutput(channelId, peer, partner.taskManager)
    for (const [index, { channelId, partner }] of inputs.flatMap(edge => edge.channels).entries()) {
      const receive = (message: ChannelMessage): void => this.#receive(this.#inputs[index]!, message)
      world.dataPlane.openInput(channelId, peer, partner.taskManager, receive)
    }
    peer.process.clock.arrive(peer.process.random.next() * pace.startMs, () => {
      if (this.#phase !== 'starting') return
      this.#status('INITIALIZING')
      // Handles its own errors.
      void this.#restore()
    })
  }

  // Commands

  trigger(trigger: CheckpointTrigger): void {
    if (this.#phase === 'over') return
    this.#triggers.push(trigger)
    this.#takeTriggers()
  }

  drain(): void {
    if (this.deployment.inputs.length === 0 && this.#phase !== 'over') this.#endData()
  }

  completed(checkpointId: number): void {
    if (this.#phase !== 'running') return
    const { world } = this.#deps
    world.attempts.announced(this.deployment.job.jobId, checkpointId)
    this.#state.completed(checkpointId)
    const covered = this.#state instanceof SinkState ? this.#state.covered(checkpointId) : []
    const finishes = (): void => {
      const last = this.#suspendedBy ?? this.#lastCheckpointId
      if (last !== undefined && checkpointId >= last) this.#finish()
    }
    this.#commit(covered, finishes)
  }

  aborted(checkpointId: number): void {
    if (this.#phase === 'over') return
    const waiting = this.#triggers.findIndex(trigger => trigger.checkpointId === checkpointId)
    if (waiting >= 0) this.#triggers.splice(waiting, 1)
    if (this.#suspendedBy === checkpointId) this.#suspendedBy = undefined
    this.#writing.delete(checkpointId)
    this.#aligner.onAborted(checkpointId)
    this.#work()
  }

  cancel(): void {
    if (this.#stuck) return
    const { process } = this.#deps.peer
    process.clock.arrive(process.random.next() * 20, () => this.#end('CANCELED'))
  }

  fail(error: SerializedError): void {
    this.#end('FAILED', error)
  }

  // Faults

  /** Takes nothing from its inputs for a while. */
  slowDown(forMs: number): void {
    const { clock } = this.#deps.peer.process
    this.#slowUntilMs = clock.monotonicMs() + forMs
    clock.arrive(forMs, () => this.#work())
  }

  getStuck(): void {
    this.#stuck = true
  }

  /** The thread is gone: nothing is said or done any more. */
  dispose(): void {
    if (this.#phase === 'over') return
    this.#phase = 'over'
    this.#writing.clear()
    const { dataPlane } = this.#deps.world
    for (const { channelId } of this.#inputs) dataPlane.closeInput(channelId)
    for (const channelId of this.#outputs.flatMap(output => output.channels)) dataPlane.closeOutput(channelId)
  }

  // Start

  #makeState(): SimulatedState {
    const { job, vertexId, subtaskIndex: index, attemptId: attempt, inputs } = this.deployment
    const { workload, world } = this.#deps
    const vertex = job.graph.vertices.find(candidate => candidate.id === vertexId)!
    const { operatorId, kind } = vertex.operators[0]!
    const { parallelism } = vertex
    if (kind === 'source')
      return new SourceState(operatorId, workload.splits, split => split % parallelism === index)
    if (kind !== 'sink') return new NoState(operatorId)
    const keyed = inputs.some(({ edge }) => edge.partitioning === 'hash')
    return new SinkState(operatorId, { keyed, index, parallelism, attempt }, world.verdict)
  }

  async #restore(): Promise<void> {
    const { restore } = this.deployment
    const handles = restore?.state.operators[0]
    try {
      if (handles !== undefined) await this.#state.restore(handles, location => this.#read(location))
    } catch (error) {
      this.fail(serializeError(error))
      return
    }
    if (this.#phase !== 'starting') return
    const covered =
      restore !== undefined && this.#state instanceof SinkState
        ? this.#state.covered(restore.checkpointId)
        : []
    this.#commit(covered, () => {
      if (this.#phase !== 'starting') return
      this.#phase = 'running'
      this.#status('RUNNING')
      this.#takeTriggers()
      this.#work()
      if (this.#inputs.length === 0) this.#emit()
    })
  }

  async #read(location: StateLocation): Promise<string> {
    const { world, peer } = this.#deps
    const content = await world.storage.read(peer.process.clock, location)
    if (content !== undefined) return content
    const path = location.type === 'file' ? location.path : ''
    const { restore } = this.deployment
    if (this.#phase === 'starting')
      world.verdict.violated('checkpoint-lost', `checkpoint ${restore?.checkpointId} lacks ${path}`)
    throw new Error(`${path} is not there`)
  }

  // Records

  #emit(): void {
    if (this.#phase !== 'running' || this.#dataEnded) return
    const { pace, workload, peer } = this.#deps
    const state = this.#state as SourceState
    if (this.#suspendedBy === undefined && peer.process.clock.monotonicMs() >= this.#slowUntilMs) {
      const records: SimulatedRecord[] = []
      for (const [split, next] of state.positions) {
        const end = Math.min(next + pace.batch, workload.recordsPerSplit)
        for (let sequence = next; sequence < end; sequence++) records.push({ split, sequence })
        state.positions.set(split, end)
      }
      this.#send(records)
      if ([...state.positions.values()].every(next => next >= workload.recordsPerSplit)) {
        this.#endData()
        return
      }
    }
    peer.process.clock.arrive(pace.emitEveryMs, () => this.#emit())
  }

  #send(records: readonly SimulatedRecord[]): void {
    const { dataPlane } = this.#deps.world
    for (const { hash, channels } of this.#outputs) {
      const consumerOf = (record: SimulatedRecord): number =>
        hash ? subtaskOfKeyGroup(KEYS, channels.length, keyOf(record)) : 0
      for (const [consumer, own] of Map.groupBy(records, consumerOf))
        dataPlane.send(channels[consumer]!, { type: 'records', records: own })
    }
  }

  #broadcast(message: ChannelMessage): void {
    for (const { channels } of this.#outputs)
      for (const channelId of channels) this.#deps.world.dataPlane.send(channelId, message)
  }

  #receive(channel: InputChannel, message: ChannelMessage): void {
    if (this.#phase === 'over') return
    channel.messages.push(message)
    this.#work()
  }

  /** Takes what there is from inputs that are open. */
  #work(): void {
    if (this.#phase !== 'running') return
    if (this.#deps.peer.process.clock.monotonicMs() < this.#slowUntilMs) return
    for (let took = true; took; ) {
      took = false
      for (const [index, channel] of this.#inputs.entries()) {
        while (!channel.blocked && channel.messages.length > 0 && this.#phase === 'running') {
          took = true
          this.#handle(index, channel, channel.messages.shift()!)
        }
      }
    }
  }

  #handle(index: number, channel: InputChannel, message: ChannelMessage): void {
    switch (message.type) {
      case 'records':
        if (this.#state instanceof SinkState) for (const record of message.records) this.#state.add(record)
        else this.#send(message.records)
        break
      case 'barrier':
        this.#aligner.onBarrier(index, message.barrier)
        break
      case 'cancel-barrier':
        this.#aligner.onCancelBarrier(index, message.checkpointId)
        break
      case 'end-of-data':
        channel.dataEnded = true
        if (this.#inputs.every(({ dataEnded }) => dataEnded)) this.#endData()
        break
      case 'end-of-partition':
        this.#finishedInputs++
        this.#aligner.onChannelFinished(index)
        this.#takeTriggers()
        break
    }
  }

  #endData(): void {
    if (this.#dataEnded) return
    this.#dataEnded = true
    this.#broadcast({ type: 'end-of-data' })
    this.#deps.report({ type: 'end-of-data', attemptId: this.attemptId })
  }

  // Checkpoints

  #barrierListener(): ConstructorParameters<typeof BarrierAligner>[1]['listener'] {
    return {
      complete: barrier => this.#take(barrier),
      aborted: (checkpointId, reason, forward) => {
        if (this.#phase !== 'running') return
        if (forward) this.#broadcast({ type: 'cancel-barrier', checkpointId })
        this.#decline(checkpointId, {
          name: 'Error',
          message: reason,
          code: 'taskmanager.checkpoint-not-possible',
        })
      },
      block: channel => {
        this.#inputs[channel]!.blocked = true
      },
      unblockAll: () => {
        for (const channel of this.#inputs) channel.blocked = false
      },
      overtake: () => {},
    }
  }

  #takeTriggers(): void {
    while (this.#phase === 'running' && this.#finishedInputs === this.#inputs.length) {
      const next = this.#triggers.shift()
      if (next === undefined) return
      this.#take(next)
    }
  }

  #take(barrier: Barrier): void {
    if (this.#phase !== 'running') return
    const { checkpointId, savepoint } = barrier
    if (savepoint !== false && savepoint.suspend) this.#suspendedBy = checkpointId
    if (this.#dataEnded) this.#lastCheckpointId ??= checkpointId
    for (const older of this.#writing) {
      this.#writing.delete(older)
      const message = `checkpoint ${checkpointId} began before its files were written`
      this.#decline(older, { name: 'Error', message, code: 'taskmanager.checkpoint-not-possible' })
    }
    this.#broadcast({ type: 'barrier', barrier })
    this.#writing.add(checkpointId)
    const { world, peer } = this.#deps
    const { job } = this.deployment
    const folder =
      savepoint === false ? `${job.checkpointDirectory}/${job.jobId}/chk-${checkpointId}` : savepoint.folder
    const wanted = (): boolean => this.#writing.has(checkpointId) && peer.process.alive
    const write = (purpose: string, content: string): Promise<StateLocation> =>
      world.storage.write(peer.process.clock, `${folder}/${this.attemptId}-${purpose}`, content, wanted)
    this.#state.snapshot(barrier, write).then(
      state => this.#acknowledge(checkpointId, state),
      (error: unknown) => {
        if (this.#writing.delete(checkpointId)) this.#decline(checkpointId, serializeError(error))
      },
    )
  }

  #acknowledge(checkpointId: number, operator: OperatorSubtaskState): void {
    if (!this.#writing.delete(checkpointId)) return
    const metrics = { alignmentMs: 0, syncMs: 0, asyncMs: 0, startDelayMs: 0, stateBytes: 0 }
    const { attemptId } = this
    const acknowledgement = { attemptId, checkpointId, state: { operators: [operator] }, metrics }
    this.#deps.report({ type: 'acknowledge', acknowledgement })
  }

  #decline(checkpointId: number, reason: SerializedError): void {
    this.#deps.report({ type: 'decline', decline: { attemptId: this.attemptId, checkpointId, reason } })
  }

  /** One transaction after the other; a thread that ends meanwhile leaves the rest to whoever restores. */
  #commit(transactions: readonly Transaction[], done: () => void): void {
    const { world, peer, workload } = this.#deps
    const [first, ...rest] = transactions
    if (first === undefined) {
      done()
      return
    }
    peer.process.clock.arrive(peer.process.random.next() * 5, () => {
      if (this.#phase === 'over') return
      world.output.commit(workload.name, first)
      this.#commit(rest, done)
    })
  }

  // End

  #finish(): void {
    if (this.#phase !== 'running') return
    this.#phase = 'finishing'
    this.#broadcast({ type: 'end-of-partition' })
    const { process } = this.#deps.peer
    process.clock.arrive(process.random.next() * 5, () => this.#end('FINISHED'))
  }

  #end(status: 'FINISHED' | 'CANCELED' | 'FAILED', error?: SerializedError): void {
    if (this.#phase === 'over') return
    this.dispose()
    this.#status(status, error)
  }

  #status(
    status: 'INITIALIZING' | 'RUNNING' | 'FINISHED' | 'CANCELED' | 'FAILED',
    error?: SerializedError,
  ): void {
    const update = { attemptId: this.attemptId, status, metrics: NO_METRICS, ...(error && { error }) }
    this.#deps.report({ type: 'status', update })
  }
}
