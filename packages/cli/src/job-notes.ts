import type { SerializedError } from '@flink-ts/common'
import type { Failure, FailureEntry, JobDetails, ResourceOverview } from '@flink-ts/gateways'
import { formatElapsed, formatTime } from './format.ts'
import { slotsOf } from './plan.ts'

/** Slots that come with the next TaskManager need not be talked about. */
const WAIT_BEFORE_TOLD_MS = 2000
/** How often a wait is told again, and a failure that is the same as the last one. */
const REPEAT_MS = 30_000
const MAX_CAUSE_LENGTH = 300

/** What should stay on the terminal of whoever waits for a job: restarts with their cause, and waiting for slots. */
export class JobNotes {
  readonly #job: string
  #failuresSeenUntil = -1
  #lastCause: string | undefined
  #causeToldAtMs = Number.NEGATIVE_INFINITY
  #untoldFailures = 0
  #waitingFromMs: number | undefined
  #waitToldAtMs: number | undefined

  /** @param job as it is called in the lines */
  constructor(job: string) {
    this.#job = job
  }

  /**
   * What is to be told now, in order.
   * @param resources of the cluster; needed only while {@link isWaitingForSlots}
   * @param nowMs of a monotonic clock
   */
  observe(details: JobDetails, resources: ResourceOverview | undefined, nowMs: number): readonly string[] {
    return [...this.#failures(details, nowMs), ...this.#slots(details, resources, nowMs)]
  }

  #failures({ failures, restarts, status }: JobDetails, nowMs: number): readonly string[] {
    // How a job ended is told by its result.
    if (status !== 'RUNNING' && status !== 'RESTARTING') return []
    const fresh = failures.filter(({ timestamp }) => timestamp > this.#failuresSeenUntil)
    const last = fresh.at(-1)
    if (last === undefined) return []
    this.#failuresSeenUntil = last.timestamp
    const cause = causeOf(last)
    this.#untoldFailures += fresh.length
    if (cause === this.#lastCause && nowMs - this.#causeToldAtMs < REPEAT_MS) return []
    const times =
      this.#untoldFailures === 1 ? '' : ` (${this.#untoldFailures} failures since the last such line)`
    this.#lastCause = cause
    this.#causeToldAtMs = nowMs
    this.#untoldFailures = 0
    // The failure that is answered just now is not counted before its restart has begun.
    const number = status === 'RESTARTING' ? restarts + 1 : Math.max(restarts, 1)
    return [`${this.#job} restarts, number ${number}${times}: ${cause}`]
  }

  #slots(details: JobDetails, resources: ResourceOverview | undefined, nowMs: number): readonly string[] {
    if (!isWaitingForSlots(details)) {
      const from = this.#waitingFromMs
      const told = this.#waitToldAtMs !== undefined
      this.#waitingFromMs = undefined
      this.#waitToldAtMs = undefined
      if (!told || from === undefined || details.status !== 'RUNNING') return []
      return [`${this.#job} has its slots after ${formatElapsed(nowMs - from)}.`]
    }
    this.#waitingFromMs ??= nowMs
    const due =
      this.#waitToldAtMs === undefined
        ? nowMs - this.#waitingFromMs >= WAIT_BEFORE_TOLD_MS
        : nowMs - this.#waitToldAtMs >= REPEAT_MS
    if (!due || resources === undefined) return []
    this.#waitToldAtMs = nowMs
    return [`${this.#job} ${describeWait(details, resources)}`]
  }
}

/** Tasks of the job have no slot, and so none of them is deployed. */
export function isWaitingForSlots({ status, vertices }: JobDetails): boolean {
  return (
    status === 'RUNNING' &&
    vertices.some(({ subtasks }) => subtasks.some(task => task.status === 'SCHEDULED'))
  )
}

/** Slots that a job needs and does not have. */
export interface SlotWait {
  readonly needed: number
  readonly has: number
  /** Milliseconds since the epoch; undefined: not known. */
  readonly since: number | undefined
}

/** How many slots a job waits for; it does if {@link isWaitingForSlots}. */
export function slotWaitOf(details: JobDetails, { taskManagers }: ResourceOverview): SlotWait {
  const since = Math.min(
    ...details.vertices.flatMap(({ subtasks }) =>
      subtasks.flatMap(({ status, timestamps }) =>
        status === 'SCHEDULED' ? (timestamps.SCHEDULED ?? []) : [],
      ),
    ),
  )
  const own = taskManagers.flatMap(({ allocatedSlots }) => allocatedSlots.filter(id => id === details.jobId))
  return {
    ...{ needed: slotsOf(details.graph), has: own.length },
    since: Number.isFinite(since) ? since : undefined,
  }
}

/** What a job waits for, and what to do. */
export function describeWait(details: JobDetails, resources: ResourceOverview): string {
  const { taskManagers, totalSlots, freeSlots } = resources
  const { needed, has, since } = slotWaitOf(details, resources)
  const sinceText = since === undefined ? '' : ` since ${formatTime(since)}`
  return (
    `waits for slots${sinceText}: it needs ${needed} and has ${has}; the cluster has ` +
    `${totalSlots} on ${taskManagers.length} TaskManager${taskManagers.length === 1 ? '' : 's'}, ${freeSlots} of them ` +
    'free. Start TaskManagers (bin/taskmanager.sh start), end other jobs, or take a lower parallelism (-p).'
  )
}

/** In one line: the error, the task and where it ran. */
function causeOf({ error, task, location }: Failure | FailureEntry): string {
  const where = task === undefined ? '' : ` (${task}${location === undefined ? '' : ` at ${location}`})`
  return `${firstLineOf(error)}${where}`
}

function firstLineOf({ name, message, code }: SerializedError): string {
  const [line = ''] = message.trim().split('\n')
  const text = code === undefined && name !== '' ? `${name}: ${line}` : line
  const short = text.length > MAX_CAUSE_LENGTH ? `${text.slice(0, MAX_CAUSE_LENGTH)}...` : text
  return code === undefined ? short : `${short} [${code}]`
}
