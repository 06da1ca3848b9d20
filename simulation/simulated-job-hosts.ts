import { nullLogger } from '@flink-ts/common'
import {
  CoordinatorsRunner,
  type CoordinatorThread,
  type CoordinatorThreadFactory,
  JobHost,
} from '@flink-ts/jobhost'
import type { JobHostLauncher, LaunchedJobHost } from '@flink-ts/jobmanager'
import type { ReplayedProgram } from '@flink-ts/operators'
import type { SessionSettings } from '@flink-ts/rpc'
import { SimulatedProcess } from './simulated-process.ts'
import { simulatedSource } from './simulated-source.ts'
import type { Workload } from './workload.ts'
import type { World } from './world.ts'

type Listener = Parameters<CoordinatorThreadFactory['start']>[0]
type Command = Parameters<CoordinatorThread['post']>[0]

/** How long a job host may take to end by itself before it is killed. */
const END_TIMEOUT_MS = 3000

/** How job hosts of a run are made. */
export interface JobHostFacts {
  readonly settings: Partial<SessionSettings>
  readonly workloadOf: (jobName: string) => Workload
}

/** Stands for a worker thread: the real coordinators, behind messages that take a moment and keep their order. */
class SimulatedCoordinatorThread implements CoordinatorThread {
  readonly #process: SimulatedProcess
  readonly #listener: Listener
  readonly #workloadOf: JobHostFacts['workloadOf']
  readonly #onEnd: () => void
  readonly #gone = Promise.withResolvers<void>()
  #runner: CoordinatorsRunner | undefined
  #state: 'running' | 'ending' | 'ended' = 'running'
  #lastArrivalMs = 0

  constructor(
    process: SimulatedProcess,
    listener: Listener,
    workloadOf: JobHostFacts['workloadOf'],
    onEnd: () => void,
  ) {
    this.#process = process
    this.#listener = listener
    this.#workloadOf = workloadOf
    this.#onEnd = onEnd
  }

  post(command: Command): void {
    this.#later(() => this.#handle(command))
  }

  terminate(): Promise<void> {
    if (this.#state === 'running') {
      this.#state = 'ending'
      const { clock, random } = this.#process
      clock.arrive(1 + random.next() * 30, () => this.#end(0, undefined))
    }
    return this.#gone.promise
  }

  /** Dies by itself. */
  die(): void {
    this.#end(1, new Error('the thread ran into a wall'))
  }

  #end(exitCode: number, error: Error | undefined): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#onEnd()
    this.#gone.resolve()
    this.#listener.ended(exitCode, error)
  }

  #later(action: () => void): void {
    const { clock, random } = this.#process
    const nowMs = clock.monotonicMs()
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + random.next())
    clock.arrive(this.#lastArrivalMs - nowMs, () => {
      if (this.#state !== 'ended') action()
    })
  }

  #handle(command: Command): void {
    switch (command.type) {
      case 'run': {
        const { deployment } = command
        this.#runner = new CoordinatorsRunner(deployment, {
          program: programOf(this.#workloadOf(deployment.job.graph.name)),
          report: report => this.#later(() => this.#listener.report({ type: 'report', report })),
          logger: nullLogger,
        })
        // Never rejects.
        void this.#runner.start()
        break
      }
      case 'command':
        this.#runner?.handle(command.command)
        break
      case 'close':
        // Never rejects.
        void this.#runner?.close().then(() => this.#later(() => this.#listener.report({ type: 'closed' })))
        break
    }
  }
}

/** A job host process: the real one, with simulated threads. */
class SimulatedJobHost implements LaunchedJobHost {
  readonly process: SimulatedProcess
  readonly ended: Promise<string>
  readonly #parent: SimulatedProcess
  readonly #ended = Promise.withResolvers<string>()
  readonly #threads = new Set<SimulatedCoordinatorThread>()
  readonly #onEnd: () => void
  #host: JobHost | undefined

  /** @param parent the JobManager that starts it, and whose end is its own */
  constructor(
    options: { readonly name: string; readonly token: string },
    parent: SimulatedProcess,
    { settings, workloadOf }: JobHostFacts,
    world: World,
    onEnd: () => void,
  ) {
    const { name, token } = options
    this.process = new SimulatedProcess(name, name, settings, world)
    this.ended = this.#ended.promise
    this.#parent = parent
    this.#onEnd = onEnd
    const { clock, random, rpc } = this.process
    const threads: CoordinatorThreadFactory = {
      prepare: () => {},
      start: listener => {
        const thread: SimulatedCoordinatorThread = new SimulatedCoordinatorThread(
          this.process,
          listener,
          workloadOf,
          () => this.#threads.delete(thread),
        )
        this.#threads.add(thread)
        return thread
      },
      close: async () => {},
    }
    clock.arrive(20 + random.next() * 300, () => {
      this.#host = new JobHost(
        {
          ...{ jobManagerAddress: parent.address, token, pid: 1 },
          ...{ folder: 'no bundles', threadLogger: { level: 'error' } },
        },
        { rpc, clock, logger: world.logger(name), threads, onLost: reason => this.#exit(reason) },
      )
      this.#host.start().catch((error: unknown) => this.#exit(String(error)))
    })
  }

  async stop(): Promise<void> {
    const { clock } = this.#parent
    const timer = clock.schedule(END_TIMEOUT_MS, () => this.kill())
    this.process.clock.arrive(1, () => this.#exit('it was asked to'))
    await this.#ended.promise
    timer.cancel()
  }

  /** As kill -9. */
  kill(): void {
    if (!this.process.alive) return
    this.process.kill()
    this.#onEnd()
    this.#parent.clock.arrive(this.#parent.random.next() * 5, () => this.#ended.resolve('it was killed'))
  }

  /** The channel to its JobManager is gone. */
  orphan(): void {
    this.process.clock.arrive(this.process.random.next() * 5, () => this.#exit('the JobManager is gone'))
  }

  killThreads(): void {
    for (const thread of [...this.#threads]) thread.die()
  }

  /** Ends by itself. */
  #exit(_reason: string): void {
    const closed = this.#host?.close() ?? Promise.resolve()
    // Of `close` nothing rejects; whether it does, the process ends.
    void closed.finally(() => this.kill())
  }
}

/** Starts the job hosts of one JobManager. */
export class SimulatedJobHosts implements JobHostLauncher {
  readonly #parent: SimulatedProcess
  readonly #facts: JobHostFacts
  readonly #world: World
  readonly #running = new Set<SimulatedJobHost>()

  constructor(parent: SimulatedProcess, facts: JobHostFacts, world: World) {
    this.#parent = parent
    this.#facts = facts
    this.#world = world
  }

  /** Processes that have not ended. */
  get running(): readonly SimulatedJobHost[] {
    return [...this.#running]
  }

  launch(token: string): LaunchedJobHost {
    const name = `jobhost${this.#world.jobHosts++}`
    const host: SimulatedJobHost = new SimulatedJobHost(
      { name, token },
      this.#parent,
      this.#facts,
      this.#world,
      () => this.#running.delete(host),
    )
    this.#running.add(host)
    return host
  }

  /** Their JobManager was killed. */
  orphan(): void {
    for (const host of this.#running) host.orphan()
  }
}

/** What a replay of the program of a simulated job gives. */
function programOf(workload: Workload): ReplayedProgram {
  return {
    fingerprint: 'simulated',
    fingerprintLines: [],
    operatorFactory: () => simulatedSource(workload),
    partitioner: () => ({ type: 'forward' }),
    keySelector: () => undefined,
  }
}
