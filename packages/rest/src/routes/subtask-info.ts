import { EXECUTION_STATES, type ExecutionState, type SubtaskDetails } from '@flink-ts/gateways'

/** What Flink calls a place that is not known yet. */
const UNASSIGNED = '(unassigned)'

/** One attempt of a subtask, as lists of subtasks and GET /jobs/:id/vertices/:vertexId/subtasks/:index show it. */
export function subtaskInfo(subtask: SubtaskDetails, nowMs: number): object {
  return {
    subtask: subtask.index,
    status: subtask.status,
    attempt: subtask.attempt,
    ...placeOf(subtask),
    'start-time': subtask.startTime,
    // Both spellings, as in Flink: its page reads this one.
    start_time: subtask.startTime,
    'end-time': subtask.endTime,
    duration: durationOf(subtask, nowMs),
    metrics: ioMetrics([subtask]),
    'taskmanager-id': subtask.taskManagerId ?? UNASSIGNED,
    'status-duration': statusDurations(subtask, nowMs),
  }
}

/** `host` and `endpoint` of an attempt. */
export function placeOf({ location = UNASSIGNED }: SubtaskDetails): { host: string; endpoint: string } {
  const colon = location.lastIndexOf(':')
  return { host: colon < 0 ? location : location.slice(0, colon), endpoint: location }
}

/** Milliseconds from the start to the end, or to now; -1: not started. */
export function durationOf(
  { startTime, endTime }: { readonly startTime: number; readonly endTime: number },
  nowMs: number,
): number {
  return startTime < 0 ? -1 : (endTime < 0 ? nowMs : endTime) - startTime
}

const PASSING: readonly ExecutionState[] = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING', 'RUNNING']

/** Milliseconds in each state that passes; -1: it was never entered. */
function statusDurations({ timestamps }: SubtaskDetails, nowMs: number): Readonly<Record<string, number>> {
  const entered = Object.entries(timestamps).sort(([, a], [, b]) => a - b)
  const ends = new Map(
    entered.map(([state, start], position) => [state, (entered[position + 1]?.[1] ?? nowMs) - start]),
  )
  return Object.fromEntries(PASSING.map(state => [state, ends.get(state) ?? -1]))
}

/** Numbers of attempts in each state, by upper-case names. */
export function countStates(states: readonly ExecutionState[]): Record<string, number> {
  return Object.fromEntries(EXECUTION_STATES.map(state => [state, states.filter(s => s === state).length]))
}

const COUNTERS: Readonly<Record<string, (subtask: SubtaskDetails) => number>> = {
  'read-bytes': s => s.metrics.bytesIn,
  'write-bytes': s => s.metrics.bytesOut,
  'read-records': s => s.metrics.recordsIn,
  'write-records': s => s.metrics.recordsOut,
}
const TIMES: Readonly<Record<string, (subtask: SubtaskDetails) => number>> = {
  'accumulated-backpressured-time': s => s.metrics.load?.total.backPressuredMs ?? 0,
  'accumulated-idle-time': s => s.metrics.load?.total.idleMs ?? 0,
  'accumulated-busy-time': s => s.metrics.load?.total.busyMs ?? 0,
}

/** Counters of subtasks together. `complete`: all of them have told theirs. */
export function ioMetrics(subtasks: readonly SubtaskDetails[]): object {
  const complete = subtasks.every(subtask => subtask.startTime >= 0)
  const sum = (read: (subtask: SubtaskDetails) => number): number =>
    subtasks.reduce((all, subtask) => all + read(subtask), 0)
  return {
    ...Object.fromEntries(
      Object.entries(COUNTERS).flatMap(([name, read]) => [
        [name, sum(read)],
        [`${name}-complete`, complete],
      ]),
    ),
    ...Object.fromEntries(Object.entries(TIMES).map(([name, read]) => [name, sum(read)])),
  }
}

/** How counters and durations are distributed over subtasks. */
export function aggregated(subtasks: readonly SubtaskDetails[], nowMs: number): object {
  const readers = Object.entries({ ...COUNTERS, ...TIMES })
  const durations = subtasks.map(subtask => statusDurations(subtask, nowMs))
  return {
    metrics: Object.fromEntries(readers.map(([name, read]) => [name, distribution(subtasks.map(read))])),
    'status-duration': Object.fromEntries(
      PASSING.map(state => [state, distribution(durations.map(duration => duration[state] ?? -1))]),
    ),
  }
}

function distribution(values: readonly number[]): object {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0
  const sum = sorted.reduce((all, value) => all + value, 0)
  return {
    ...{ min: at(0), max: at(1), avg: Math.round(sum / Math.max(1, sorted.length)), sum },
    ...{ median: at(0.5), p25: at(0.25), p75: at(0.75), p95: at(0.95) },
  }
}
