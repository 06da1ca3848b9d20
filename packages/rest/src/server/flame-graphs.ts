import type { Clock, Configuration, JobId, Logger, ResourceId } from '@flink-ts/common'
import { type DispatcherGateway, StackTree, type TaskProfile, type VertexDetails } from '@flink-ts/gateways'
import { RestOptionKeys } from '../rest-options.ts'

export interface FlameGraphSettings {
  readonly enabled: boolean
  /** How long threads are looked at for one. */
  readonly samplingMs: number
  readonly refreshIntervalMs: number
  readonly cleanupIntervalMs: number
  readonly stackDepth: number
}

/** As configured. */
export function flameGraphSettingsOf(configuration: Configuration): FlameGraphSettings {
  const samplingMs =
    configuration.get(RestOptionKeys.flameGraphSamples) * configuration.get(RestOptionKeys.flameGraphDelay)
  return {
    enabled: configuration.get(RestOptionKeys.flameGraphEnabled),
    samplingMs: Math.min(60_000, Math.max(10, samplingMs)),
    refreshIntervalMs: configuration.get(RestOptionKeys.flameGraphRefreshInterval),
    cleanupIntervalMs: configuration.get(RestOptionKeys.flameGraphCleanupInterval),
    stackDepth: configuration.get(RestOptionKeys.flameGraphStackDepth),
  }
}

/** A profile of a vertex or of one of its subtasks. */
export interface FlameGraph {
  /** Milliseconds since the epoch. */
  readonly endTimestamp: number
  readonly profile: TaskProfile
}

interface Entry {
  graph: FlameGraph | undefined
  sampling: boolean
  usedMs: number
}

/** Those that are kept; each takes some 100 KB. */
const MOST_GRAPHS = 50
/** Samplings at the same time. */
const MOST_SAMPLINGS = 8

/**
 * Profiles of tasks for those who look at them: sampled when somebody asks, kept for a while. Owner: the REST server.
 */
export class FlameGraphs {
  readonly #settings: FlameGraphSettings
  readonly #ports: {
    readonly dispatcher: Pick<DispatcherGateway, 'inspectTaskManager'>
    readonly clock: Clock
    readonly logger: Logger
  }
  /** Used last at the end. */
  readonly #entries = new Map<string, Entry>()
  #samplings = 0

  constructor(
    settings: FlameGraphSettings,
    dependencies: {
      readonly dispatcher: Pick<DispatcherGateway, 'inspectTaskManager'>
      readonly clock: Clock
      readonly logger: Logger
    },
  ) {
    this.#settings = settings
    this.#ports = dependencies
  }

  get enabled(): boolean {
    return this.#settings.enabled
  }

  /** The last one, if there is one; has another one made when that is old. */
  of(jobId: JobId, vertex: VertexDetails, subtaskIndex: number | undefined): FlameGraph | undefined {
    const nowMs = this.#ports.clock.now()
    this.#forget(nowMs)
    const key = `${jobId}/${vertex.id}/${subtaskIndex ?? ''}`
    const entry = this.#entries.get(key) ?? { graph: undefined, sampling: false, usedMs: nowMs }
    entry.usedMs = nowMs
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    const isOld =
      entry.graph === undefined || nowMs - entry.graph.endTimestamp >= this.#settings.refreshIntervalMs
    if (isOld && !entry.sampling && this.#samplings < MOST_SAMPLINGS) {
      entry.sampling = true
      this.#samplings++
      // Never rejects.
      void this.#sample(jobId, vertex, subtaskIndex).then(profile => {
        this.#samplings--
        entry.sampling = false
        if (profile !== undefined) entry.graph = { endTimestamp: this.#ports.clock.now(), profile }
      })
    }
    return entry.graph
  }

  async #sample(
    jobId: JobId,
    { id: vertexId, subtasks }: VertexDetails,
    subtaskIndex: number | undefined,
  ): Promise<TaskProfile | undefined> {
    const { samplingMs: durationMs, stackDepth } = this.#settings
    const running = subtasks.filter(
      ({ status, index }) => status === 'RUNNING' && (subtaskIndex ?? index) === index,
    )
    const processes = [...new Set(running.flatMap(({ taskManagerId: id }) => (id === undefined ? [] : [id])))]
    const profiles = await Promise.all(
      processes.map(async id => {
        try {
          const what = { jobId, vertexId, subtaskIndex, durationMs, stackDepth }
          return (await this.#ports.dispatcher.inspectTaskManager(id as ResourceId, {
            type: 'profile-tasks',
            ...what,
          })) as TaskProfile
        } catch (error) {
          // It is gone meanwhile; the others show what there is.
          this.#ports.logger.debug({ jobId, vertexId, resourceId: id, error }, 'Tasks could not be profiled')
          return undefined
        }
      }),
    )
    const known = profiles.filter(profile => profile !== undefined)
    if (known.length === 0) return undefined
    const merged = (side: keyof TaskProfile): TaskProfile[typeof side] => {
      const tree = new StackTree()
      for (const profile of known) tree.merge(profile[side])
      return tree.toNode('root')
    }
    return { onCpu: merged('onCpu'), offCpu: merged('offCpu') }
  }

  #forget(nowMs: number): void {
    for (const [key, { usedMs, sampling }] of this.#entries) {
      const isIdle = nowMs - usedMs >= this.#settings.cleanupIntervalMs
      if ((isIdle || this.#entries.size > MOST_GRAPHS) && !sampling) this.#entries.delete(key)
    }
  }
}
