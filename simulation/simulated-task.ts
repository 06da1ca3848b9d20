import { type SerializedError, serializeError } from '@flink-ts/common'
import type { CheckpointTrigger, TaskDeployment } from '@flink-ts/gateways'
import type { CaptureEnd } from '@flink-ts/network'
import { subtaskOfKeyGroup } from '@flink-ts/serialization'
import type { OperatorSubtaskState, StateLocation } from '@flink-ts/state'
import {
  type Barrier,
  BarrierAligner,
  type BarrierHandler,
  type BarrierListener,
  type ChannelCapture,
  type SlotThreadListener,
  UnalignedBarriers,
} from '@flink-ts/taskmanager'
import type { ChannelMessage, ExchangePeer } from './data-plane.ts'
import { SimulatedInputs } from './simulated-inputs.ts'
import { SplitRequests } from './simulated-source.ts'
import { ReaderState, type SimulatedState, SinkState, type SourceState } from './simulated-state.ts'
import { stateOf, takesOver, writeInputs } from './task-state.ts'
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
  /** How long a sink takes for a batch; absent: no time. */
  readonly batchMs?: number
}

interface TaskDependencies {
  readonly world: World
  readonly peer: ExchangePeer
  readonly workload: Workload
  readonly pace: TaskPace
  readonly report: (report: Report) => void
}

/** In order of arrival: an event that came before a trigger belongs to its checkpoint. */
type Mail =
  | { readonly trigger: CheckpointTrigger; readonly event?: never }
  | { readonly event: Uint8Array; readonly trigger?: never }

const NO_METRICS = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

/**
 * Model of a subtask: reads, counts, writes transactions, takes snapshots at barriers. It follows the protocol of the
 * real one (`StreamTask`), whose barriers and captures it uses.
 */
export class SimulatedTask {
  readonly deployment: TaskDeployment
  readonly #deps: TaskDependencies
  readonly #state: SimulatedState
  readonly #inputs: SimulatedInputs
  readonly #inputIds: readonly string[]
  readonly #outputs: readonly { readonly hash: boolean; readonly channels: readonly string[] }[]
  readonly #barriers: BarrierHandler
  readonly #mail: Mail[] = []
  /** Asks for splits; undefined: all are known from the start. */
  readonly #requests: SplitRequests | undefined
  #capture: ChannelCapture | undefined
  /** Checkpoints whose files are being written. */
  readonly #writing = new Set<number>()
  #phase: 'starting' | 'running' | 'finishing' | 'over' = 'starting'
  #dataEnded = false
  #lastCheckpointId: number | undefined
  #suspendedBy: number | undefined
  #slowUntilMs = 0
  /** Ignores that it is cancelled. */
  #stuck = false

  constructor(deployment: TaskDeployment, dependencies: TaskDependencies) {
    this.deployment = deployment
    this.#deps = dependencies
    this.#state = stateOf(deployment, dependencies.workload, dependencies.world.verdict)
    if (this.#state instanceof ReaderState) this.#requests = this.#makeRequests(this.#state)
    this.#inputIds = deployment.inputs.flatMap(edge => edge.channels.map(({ channelId }) => channelId))
    const { unaligned } = deployment.job.graph.checkpointing!
    this.#inputs = new SimulatedInputs({
      channels: this.#inputIds.length,
      unaligned: unaligned !== undefined,
    })
    this.#outputs = deployment.outputs.map(({ edge, channels }) => ({
      hash: edge.partitioning === 'hash',
      channels: channels.map(({ channelId }) => channelId),
    }))
    const { clock } = dependencies.peer.process
    const ports = { listener: this.#barrierListener(), clock, wake: () => this.#takeMail() }
    const channels = this.#inputs.count
    this.#barriers =
      unaligned === undefined
        ? new BarrierAligner({ channels }, ports)
        : new UnalignedBarriers({ channels, alignedOnly: new Set(), ...unaligned }, ports)
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
      const receive = (message: ChannelMessage): void => this.#receive(index, message)
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
    this.#mail.push({ trigger })
    this.#takeMail()
  }

  /** From the coordinator of the source. */
  operatorEvent(event: Uint8Array): void {
    if (this.#phase === 'over') return
    this.#mail.push({ event })
    this.#takeMail()
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
    const waiting = this.#mail.findIndex(({ trigger }) => trigger?.checkpointId === checkpointId)
    if (waiting >= 0) this.#mail.splice(waiting, 1)
    if (this.#suspendedBy === checkpointId) this.#suspendedBy = undefined
    this.#writing.delete(checkpointId)
    this.#barriers.onAborted(checkpointId)
    if (this.#capture?.checkpointId === checkpointId) this.#stopCapture()
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
    this.#mail.length = 0
    this.#barriers.close?.()
    this.#stopCapture()
    const { dataPlane } = this.#deps.world
    for (const channelId of this.#inputIds) dataPlane.closeInput(channelId)
    for (const channelId of this.#outputs.flatMap(output => output.channels)) dataPlane.closeOutput(channelId)
  }

  // Start

  async #restore(): Promise<void> {
    const { deployment } = this
    const { restore } = deployment
    const handles = restore?.state.operators[0]
    try {
      if (handles !== undefined) await this.#state.restore(handles, location => this.#read(location))
      const records: SimulatedRecord[] = []
      for (const handle of handles?.inputs ?? []) {
        const stored = JSON.parse(await this.#read(handle.location)) as SimulatedRecord[]
        records.push(...stored.filter(record => takesOver(deployment, handle, record)))
      }
      this.#inputs.restore(records)
    } catch (error) {
      this.fail(serializeError(error))
      return
    }
    if (this.#phase !== 'starting') return
    this.#requests?.register()
    const covered =
      restore !== undefined && this.#state instanceof SinkState
        ? this.#state.covered(restore.checkpointId)
        : []
    this.#commit(covered, () => {
      if (this.#phase !== 'starting') return
      this.#phase = 'running'
      this.#status('RUNNING')
      this.#takeMail()
      this.#work()
      if (this.#inputs.count === 0) this.#emit()
    })
  }

  #makeRequests(state: ReaderState): SplitRequests {
    const { attemptId, job, vertexId } = this.deployment
    const { operatorId } = job.graph.vertices.find(({ id }) => id === vertexId)!.operators[0]!
    const requests = new SplitRequests(event =>
      this.#deps.report({ type: 'operator-event', attemptId, operatorId, event }),
    )
    state.splitsOf = event => requests.receive(event)
    return requests
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
    const state = this.#state as SourceState | ReaderState
    if (this.#suspendedBy === undefined && peer.process.clock.monotonicMs() >= this.#slowUntilMs) {
      const records: SimulatedRecord[] = []
      for (const [split, next] of state.due) {
        const end = Math.min(next + pace.batch, workload.recordsPerSplit)
        for (let sequence = next; sequence < end; sequence++) records.push({ split, sequence })
        if (end < workload.recordsPerSplit || this.#requests === undefined) state.positions.set(split, end)
        else state.positions.delete(split)
      }
      this.#send(records)
      const allRead = [...state.positions.values()].every(next => next >= workload.recordsPerSplit)
      if (allRead) this.#requests?.request()
      if (allRead && (this.#requests?.noMore ?? true)) {
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

  #receive(index: number, message: ChannelMessage): void {
    if (this.#phase === 'over') return
    this.#inputs.receive(index, message)
    this.#work()
  }

  /** Takes what there is from inputs that are open. */
  #work(): void {
    const { clock } = this.#deps.peer.process
    for (let took = true; took; ) {
      took = false
      for (let index = 0; index < this.#inputs.count; index++) {
        while (this.#phase === 'running' && clock.monotonicMs() >= this.#slowUntilMs) {
          const message = this.#inputs.take(index)
          if (message === undefined) break
          took = true
          this.#handle(index, message)
        }
      }
    }
  }

  #handle(index: number, message: ChannelMessage): void {
    switch (message.type) {
      case 'records':
        if (this.#state instanceof SinkState) this.#count(this.#state, message.records)
        else this.#send(message.records)
        break
      case 'barrier':
        this.#barriers.onBarrier(index, message.barrier)
        break
      case 'cancel-barrier':
        this.#barriers.onCancelBarrier(index, message.checkpointId)
        break
      case 'end-of-data':
        this.#inputs.dataEnded(index)
        if (this.#inputs.allDataEnded) this.#endData()
        break
      case 'end-of-partition':
        this.#inputs.finished(index)
        this.#barriers.onChannelFinished(index)
        this.#takeMail()
        break
    }
  }

  #count(state: SinkState, records: readonly SimulatedRecord[]): void {
    for (const record of records) state.add(record)
    const { batchMs = 0 } = this.#deps.pace
    if (batchMs > 0) this.slowDown(batchMs)
  }

  #endData(): void {
    if (this.#dataEnded) return
    this.#dataEnded = true
    this.#broadcast({ type: 'end-of-data' })
    this.#deps.report({ type: 'end-of-data', attemptId: this.attemptId })
  }

  // Checkpoints

  #barrierListener(): BarrierListener {
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
      block: channel => this.#inputs.block(channel),
      unblockAll: () => this.#inputs.unblockAll(),
      overtake: (barrier, _, missing) => this.#take(barrier, missing),
    }
  }

  /** Delivers events, and takes or begins what is triggered, in order. */
  #takeMail(): void {
    while (this.#phase === 'running') {
      const [next] = this.#mail
      if (next === undefined) break
      const isLast = this.#inputs.allFinished
      if (next.trigger !== undefined && !isLast && this.#barriers.announce === undefined) break
      this.#mail.shift()
      if (next.event !== undefined) (this.#state as ReaderState).receive(next.event)
      else if (isLast) this.#take(next.trigger)
      else this.#barriers.announce?.(next.trigger)
    }
    if (this.#phase === 'running' && this.#barriers.takeDue?.() === true) this.#work()
  }

  /** @param missing channels where the barrier has not come: what is on its way there belongs to the checkpoint */
  #take(barrier: Barrier, missing?: readonly number[]): void {
    if (this.#phase !== 'running') return
    const { checkpointId, savepoint } = barrier
    if (savepoint !== false && savepoint.suspend) this.#suspendedBy = checkpointId
    if (this.#dataEnded) this.#lastCheckpointId ??= checkpointId
    this.#stopCapture()
    const capture = missing === undefined ? undefined : this.#beginCapture(checkpointId, missing)
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
    const parts = [
      this.#state.snapshot(barrier, write),
      writeInputs(this.deployment, capture, write),
    ] as const
    Promise.all(parts).then(
      ([state, inputs]) => this.#acknowledge(checkpointId, { ...state, ...inputs }),
      (error: unknown) => {
        capture?.abandon()
        if (this.#writing.delete(checkpointId)) this.#decline(checkpointId, serializeError(error))
      },
    )
  }

  #beginCapture(checkpointId: number, missing: readonly number[]): ChannelCapture {
    const ended = (index: number, by: CaptureEnd): void => this.#barriers.onCaptured?.(index, by)
    this.#capture = this.#inputs.capture(checkpointId, this.attemptId, missing, ended)
    return this.#capture
  }

  #stopCapture(): void {
    this.#capture?.abandon()
    this.#capture = undefined
    this.#inputs.stopCapture()
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
