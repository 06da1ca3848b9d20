import type { SlotThread, SlotThreadFactory, SlotThreadListener } from '@flink-ts/taskmanager'
import type { ExchangePeer } from './data-plane.ts'
import { SimulatedTask, type TaskPace } from './simulated-task.ts'
import type { Workload } from './workload.ts'
import type { World } from './world.ts'

type ThreadData = Parameters<SlotThreadFactory['start']>[0]
type Command = Parameters<SlotThread['post']>[0]

interface SlotThreadsDependencies {
  readonly world: World
  readonly peer: ExchangePeer
  readonly pace: TaskPace
  /** What the job of that name has to do. */
  readonly workloadOf: (jobName: string) => Workload
}

/** Stands for a worker thread: runs simulated tasks, takes commands and ends with a delay. */
class SimulatedSlotThread implements SlotThread {
  readonly slotId: string
  readonly tasks: SimulatedTask[] = []
  readonly #deps: SlotThreadsDependencies
  readonly #listener: SlotThreadListener
  readonly #ended: () => void
  readonly #gone = Promise.withResolvers<void>()
  #state: 'running' | 'ending' | 'ended' = 'running'
  #lastArrivalMs = 0

  constructor(
    data: ThreadData,
    listener: SlotThreadListener,
    dependencies: SlotThreadsDependencies,
    ended: () => void,
  ) {
    this.slotId = data.slotId
    this.#listener = listener
    this.#deps = dependencies
    this.#ended = ended
  }

  /** Tasks that run in it. */
  get live(): readonly SimulatedTask[] {
    return this.#state === 'ended' ? [] : this.tasks.filter(task => !task.isOver)
  }

  post(command: Command): void {
    this.#later(() => this.#handle(command))
  }

  async usedMemoryBytes(): Promise<number | undefined> {
    return undefined
  }

  async profile(): Promise<string | undefined> {
    return undefined
  }

  terminate(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'ending'
      const { clock, random } = this.#deps.peer.process
      clock.arrive(1 + random.next() * 30, () => this.#end(0, undefined))
    }
    return this.#gone.promise
  }

  /** Dies by itself. */
  die(): void {
    this.#end(1, new Error('the thread ran into a wall'))
  }

  /** Its process was killed. */
  vanish(): void {
    this.#state = 'ended'
    for (const task of this.tasks) task.dispose()
  }

  #end(exitCode: number, error: Error | undefined): void {
    if (this.#state === 'ended') return
    this.vanish()
    this.#ended()
    this.#gone.resolve()
    this.#listener.ended(exitCode, error)
  }

  /** Messages to and from the thread take a moment, and keep their order. */
  #later(action: () => void): void {
    const { clock, random } = this.#deps.peer.process
    const nowMs = clock.monotonicMs()
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + random.next())
    clock.arrive(this.#lastArrivalMs - nowMs, action)
  }

  #handle(command: Command): void {
    if (this.#state === 'ended') return
    const those = (ids: readonly string[]): readonly SimulatedTask[] =>
      this.tasks.filter(task => ids.includes(task.attemptId))
    switch (command.type) {
      case 'deploy':
        this.#deploy(command)
        break
      case 'cancel':
        for (const task of those([command.attemptId])) task.cancel()
        break
      case 'fail':
        for (const task of those([command.attemptId])) task.fail(command.error)
        break
      case 'trigger':
        for (const task of those(command.attemptIds)) task.trigger(command.trigger)
        break
      case 'drain':
        for (const task of those(command.attemptIds)) task.drain()
        break
      case 'complete':
        for (const task of those(command.attemptIds)) task.completed(command.checkpointId)
        break
      case 'aborted':
        for (const task of those(command.attemptIds)) task.aborted(command.checkpointId)
        break
      case 'operator-event':
        for (const task of those([command.attemptId])) task.operatorEvent(command.event)
        break
      case 'describe-states':
      case 'tap':
        break
    }
  }

  #deploy({ tasks }: Extract<Command, { type: 'deploy' }>): void {
    const { world, peer, pace, workloadOf } = this.#deps
    if (this.tasks.length > 0)
      world.verdict.violated('not-fenced', `slot ${this.slotId} was deployed to twice`)
    for (const deployment of tasks) {
      const workload = workloadOf(deployment.job.graph.name)
      const task = new SimulatedTask(deployment, {
        ...{ world, peer, pace, workload },
        report: report => {
          if (this.#state === 'ended') return
          this.#listener.report(report)
        },
      })
      this.tasks.push(task)
      world.attempts.started(task)
      task.start()
    }
  }
}

/** The slot threads of one TaskManager. */
export class SimulatedSlotThreads implements SlotThreadFactory {
  readonly #running = new Set<SimulatedSlotThread>()
  readonly #deps: SlotThreadsDependencies

  constructor(dependencies: SlotThreadsDependencies) {
    this.#deps = dependencies
  }

  /** Threads that run. */
  get size(): number {
    return this.#running.size
  }

  get tasks(): readonly SimulatedTask[] {
    return [...this.#running].flatMap(thread => thread.live)
  }

  start(data: ThreadData, listener: SlotThreadListener): SlotThread {
    const thread: SimulatedSlotThread = new SimulatedSlotThread(data, listener, this.#deps, () =>
      this.#running.delete(thread),
    )
    this.#running.add(thread)
    return thread
  }

  /** A thread with this task in it dies. */
  kill(task: SimulatedTask): void {
    for (const thread of this.#running) if (thread.tasks.includes(task)) thread.die()
  }

  /** The process was killed. */
  vanish(): void {
    for (const thread of this.#running) thread.vanish()
    this.#running.clear()
  }
}
