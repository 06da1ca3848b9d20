import type { SeededRandom } from '@flink-ts/common'

/** What happens to a cluster, or is asked of it, at a moment. `target` picks among those there are then. */
export type Fault =
  | {
      readonly type: 'kill-task-manager'
      readonly atMs: number
      readonly target: number
      readonly forMs: number
    }
  | {
      readonly type: 'freeze-task-manager'
      readonly atMs: number
      readonly target: number
      readonly forMs: number
    }
  /** Between a TaskManager and the JobManager: connections break and are refused. */
  | { readonly type: 'cut'; readonly atMs: number; readonly target: number; readonly forMs: number }
  /** Between a TaskManager and the JobManager: nothing arrives. */
  | { readonly type: 'silence'; readonly atMs: number; readonly target: number; readonly forMs: number }
  /** Connections break once. */
  | { readonly type: 'break-links'; readonly atMs: number; readonly target: number }
  /** Between two TaskManagers. */
  | { readonly type: 'cut-exchange'; readonly atMs: number; readonly target: number; readonly forMs: number }
  | { readonly type: 'kill-job-manager'; readonly atMs: number; readonly forMs: number }
  | { readonly type: 'freeze-job-manager'; readonly atMs: number; readonly forMs: number }
  | { readonly type: 'fail-task'; readonly atMs: number; readonly target: number }
  | { readonly type: 'kill-thread'; readonly atMs: number; readonly target: number }
  /** The task does not react when it is cancelled. */
  | { readonly type: 'stuck-task'; readonly atMs: number; readonly target: number }
  | { readonly type: 'slow-task'; readonly atMs: number; readonly target: number; readonly forMs: number }
  | { readonly type: 'slow-storage'; readonly atMs: number; readonly forMs: number; readonly slowMs: number }
  | { readonly type: 'failing-storage'; readonly atMs: number; readonly forMs: number; readonly part: number }
  /** The job host of the JobManager that leads. */
  | { readonly type: 'kill-job-host'; readonly atMs: number }
  | { readonly type: 'freeze-job-host'; readonly atMs: number; readonly forMs: number }
  /** The connections between the job host and its JobManager break once. */
  | { readonly type: 'break-host-links'; readonly atMs: number }
  /** The threads in which coordinators run die. */
  | { readonly type: 'kill-coordinators'; readonly atMs: number }
  | { readonly type: 'savepoint'; readonly atMs: number; readonly job: number }
  | { readonly type: 'checkpoint'; readonly atMs: number; readonly job: number }
  /** Stop with a savepoint, and go on from it at another parallelism. */
  | {
      readonly type: 'stop'
      readonly atMs: number
      readonly job: number
      readonly mode: 'suspend' | 'drain'
      readonly parallelism: number
    }
  /** Cancel, and go on from the latest snapshot. */
  | { readonly type: 'cancel'; readonly atMs: number; readonly job: number; readonly parallelism: number }

const MOST_FAULTS = 7
const FROM_MS = 300
const UNTIL_MS = 6000

/** When the effect of a fault is over. */
export function endOf(fault: Fault): number {
  return fault.atMs + ('forMs' in fault ? fault.forMs : 0)
}

/** Those that concern leaders and what they record. */
const OF_LEADERS: readonly Fault['type'][] = [
  'kill-job-manager',
  'freeze-job-manager',
  'silence',
  'slow-storage',
  'failing-storage',
  'fail-task',
]

/** Some faults, in order of time; sometimes none. */
export function drawFaults(random: SeededRandom, jobs: number): readonly Fault[] {
  const count = Math.floor(random.next() * (MOST_FAULTS + 1))
  return inOrder(Array.from({ length: count }, () => drawFault(random, jobs)))
}

/** Several faults of those that concern leaders. */
export function drawLeaderFaults(random: SeededRandom, jobs: number): readonly Fault[] {
  const faults: Fault[] = []
  while (faults.length < 4) {
    const fault = drawFault(random, jobs)
    if (OF_LEADERS.includes(fault.type)) faults.push(fault)
  }
  return inOrder(faults)
}

/** Some faults of the job host. */
export function drawHostFaults(random: SeededRandom): readonly Fault[] {
  return Array.from({ length: Math.floor(random.next() * 4) }, (): Fault => {
    const atMs = FROM_MS + Math.floor(random.next() * (UNTIL_MS - FROM_MS))
    const kind = random.next()
    if (kind < 0.4) return { type: 'kill-job-host', atMs }
    if (kind < 0.6) return { type: 'break-host-links', atMs }
    if (kind < 0.8) return { type: 'kill-coordinators', atMs }
    return { type: 'freeze-job-host', atMs, forMs: 20 + Math.floor(10 ** (1.5 + random.next() * 2.4)) }
  })
}

/**
 * Tasks that are slow for a while, so that records wait before them, and TaskManagers that hear of checkpoints later
 * than others; some tasks fail meanwhile, or soon after.
 */
export function drawSlowTasks(random: SeededRandom): readonly Fault[] {
  return Array.from({ length: Math.floor(random.next() * 4) }, (): readonly Fault[] => {
    const atMs = FROM_MS + Math.floor(random.next() * (UNTIL_MS - FROM_MS))
    const target = Math.floor(random.next() * 1000)
    const forMs = 200 + Math.floor(random.next() * 1500)
    const slow: Fault = { type: 'slow-task', atMs, target, forMs }
    const late: Fault = { type: 'silence', atMs, target, forMs: 50 + Math.floor(random.next() * 600) }
    const failsAtMs = atMs + 200 + Math.floor(random.next() * 1200)
    const fails: Fault = { type: 'fail-task', atMs: failsAtMs, target: target + 1 }
    return [slow, ...(random.next() < 0.5 ? [late] : []), ...(random.next() < 0.7 ? [fails] : [])]
  }).flat()
}

function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return faults.toSorted((a, b) => a.atMs - b.atMs)
}

function drawFault(random: SeededRandom, jobs: number): Fault {
  const upTo = (n: number): number => Math.floor(random.next() * n)
  const atMs = FROM_MS + upTo(UNTIL_MS - FROM_MS)
  const target = upTo(1000)
  const job = upTo(jobs)
  // Some end before anybody notices, some after everybody has.
  const forMs = 20 + Math.floor(10 ** (1.5 + random.next() * 2.4))
  const kinds: readonly (() => Fault)[] = [
    () => ({ type: 'kill-task-manager', atMs, target, forMs }),
    () => ({ type: 'kill-task-manager', atMs, target, forMs }),
    () => ({ type: 'freeze-task-manager', atMs, target, forMs }),
    () => ({ type: 'cut', atMs, target, forMs }),
    () => ({ type: 'silence', atMs, target, forMs }),
    () => ({ type: 'break-links', atMs, target }),
    () => ({ type: 'cut-exchange', atMs, target, forMs }),
    () => ({ type: 'kill-job-manager', atMs, forMs }),
    () => ({ type: 'freeze-job-manager', atMs, forMs }),
    () => ({ type: 'fail-task', atMs, target }),
    () => ({ type: 'fail-task', atMs, target }),
    () => ({ type: 'kill-thread', atMs, target }),
    () => ({ type: 'stuck-task', atMs, target }),
    () => ({ type: 'slow-task', atMs, target, forMs }),
    () => ({ type: 'slow-storage', atMs, forMs, slowMs: 200 + upTo(4000) }),
    () => ({ type: 'failing-storage', atMs, forMs, part: 0.2 + 0.8 * random.next() }),
    () => ({ type: 'savepoint', atMs, job }),
    () => ({ type: 'checkpoint', atMs, job }),
    () => ({ type: 'stop', atMs, job, mode: upTo(2) === 0 ? 'suspend' : 'drain', parallelism: 1 + upTo(3) }),
    () => ({ type: 'cancel', atMs, job, parallelism: 1 + upTo(3) }),
  ]
  return kinds[upTo(kinds.length)]!()
}
