import { type Clock, type Configuration, newId, type Random } from '@flink-ts/common'
import type { ProcessMonitor, StackNode } from '@flink-ts/gateways'
import { InvalidParameter, NotOffered, ProfileNotFound, ProfileRunning } from '../errors.ts'
import { RestOptionKeys } from '../rest-options.ts'
import { shown } from './shown.ts'

/** CPU: time in JavaScript; WALL: also that without. ITIMER is another way to measure CPU: V8 has one. */
const MODES = ['CPU', 'ITIMER', 'WALL'] as const
/** Processes of which profiles are kept: those that are profiled come and go. */
const MOST_PROCESSES = 50

interface Profile {
  readonly mode: (typeof MODES)[number]
  readonly durationSeconds: number
  /** Milliseconds since the epoch. */
  readonly triggeredAt: number
  /** Name under which it can be had when it is there. */
  readonly file: string
  status: 'RUNNING' | 'FINISHED' | 'FAILED'
  finishedAt: number
  message: string
  root: StackNode | undefined
}

/**
 * Profiles of whole processes, taken when somebody asks, and kept in memory, the latest of each process. One runs at a
 * time for each process: it goes on without the client that started it. Owner: the REST server.
 */
export class ProcessProfiles {
  readonly #settings: {
    readonly enabled: boolean
    readonly mostSeconds: number
    readonly history: number
  }
  readonly #clock: Clock
  readonly #random: Random
  /** By process, used last at the end; of each the latest last. */
  readonly #profiles = new Map<string, Profile[]>()

  constructor(dependencies: {
    readonly configuration: Configuration
    readonly clock: Clock
    readonly random: Random
  }) {
    const { configuration } = dependencies
    this.#settings = {
      enabled: configuration.get(RestOptionKeys.profilingEnabled),
      mostSeconds: Math.max(1, Math.floor(configuration.get(RestOptionKeys.profilingMostDuration) / 1000)),
      history: configuration.get(RestOptionKeys.profilingHistory),
    }
    this.#clock = dependencies.clock
    this.#random = dependencies.random
  }

  /** In Flink's shape, the latest first. @throws rest.not-offered */
  list(process: string): readonly object[] {
    return this.#of(process).map(infoOf).reverse()
  }

  /**
   * @param body `{mode, duration}`, in seconds
   * @throws rest.not-offered, rest.invalid-parameter, rest.profile-running
   */
  start(process: string, monitor: ProcessMonitor, body: Readonly<Record<string, unknown>>): object {
    const profiles = this.#of(process)
    const mode = MODES.find(known => known === body['mode'])
    if (mode === undefined)
      throw InvalidParameter({
        name: 'mode',
        value: shown(body['mode']),
        expected: `one of ${MODES.join(', ')}`,
      })
    const { duration: seconds } = body
    const { mostSeconds, history } = this.#settings
    if (typeof seconds !== 'number' || !Number.isInteger(seconds) || seconds < 1 || seconds > mostSeconds)
      throw InvalidParameter({
        name: 'duration',
        value: shown(seconds),
        expected: `whole seconds from 1 to ${mostSeconds} (rest.profiling.duration-max)`,
      })
    if (profiles.some(({ status }) => status === 'RUNNING')) throw ProfileRunning({ process })
    const profile: Profile = {
      ...{ mode, durationSeconds: seconds, triggeredAt: this.#clock.now(), finishedAt: -1 },
      ...{ file: `${mode.toLowerCase()}-${newId<string>(this.#random)}.html`, status: 'RUNNING' },
      ...{ message: `Runs for ${seconds} s`, root: undefined },
    }
    profiles.push(profile)
    profiles.splice(0, profiles.length - history)
    this.#profiles.delete(process)
    this.#profiles.set(process, profiles)
    for (const oldest of this.#profiles.keys()) {
      if (this.#profiles.size <= MOST_PROCESSES) break
      this.#profiles.delete(oldest)
    }
    const ended = (outcome: Pick<Profile, 'status' | 'message' | 'root'>): void => {
      Object.assign(profile, outcome, { finishedAt: this.#clock.now() })
    }
    monitor.requestProfile({ durationMs: seconds * 1000, idle: mode === 'WALL' }).then(
      root => ended({ status: 'FINISHED', message: 'Done', root }),
      (error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        ended({ status: 'FAILED', message, root: undefined })
      },
    )
    return infoOf(profile)
  }

  /** @throws rest.not-offered, rest.profile-not-found */
  read(process: string, file: string): StackNode {
    const root = this.#of(process).find(profile => profile.file === file)?.root
    if (root === undefined) throw ProfileNotFound({ file })
    return root
  }

  #of(process: string): Profile[] {
    if (!this.#settings.enabled)
      throw NotOffered({ what: 'Profiling by REST', remedy: 'set rest.profiling.enabled: true' })
    return this.#profiles.get(process) ?? []
  }
}

function infoOf(profile: Profile): object {
  const { status, mode, triggeredAt, finishedAt, durationSeconds, message, file } = profile
  return {
    ...{ status, mode, triggerTime: triggeredAt, finishedTime: finishedAt, duration: durationSeconds },
    ...{ message, outputFile: status === 'FINISHED' ? file : '' },
  }
}
