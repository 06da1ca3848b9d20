import { SeededRandom } from '@flink-ts/common'
import type { CheckpointSettings } from '@flink-ts/jobgraph'
import type { Fault } from './faults.ts'
import { drawFaults, drawHostFaults, drawLeaderFaults, drawSlowTasks } from './faults.ts'
import type { TaskPace } from './simulated-task.ts'
import type { Workload } from './workload.ts'

/** How the tasks of a job are connected: `hash` by key, `forward` in separate regions, `map` with a step in between. */
type Topology = 'hash' | 'forward' | 'map'

/** One job of a scenario, over all its submissions. */
export interface JobPlan {
  readonly workload: Workload
  readonly topology: Topology
  /** Of all vertices; a resumption may have less. */
  readonly parallelism: number
  /** Each vertex has slots of its own. */
  readonly separateSlots: boolean
  readonly submitAtMs: number
  readonly checkpointing: CheckpointSettings
  readonly restartDelayMs: number
  /** Splits come from an enumerator in the job host; absent: all are known from the start. */
  readonly coordinated?: true
}

/** Everything that one seed decides before the run begins. */
export interface Scenario {
  readonly seed: number
  /** Slots of each TaskManager. */
  readonly taskManagers: readonly number[]
  /** With high availability; absent: one without. */
  readonly jobManagers?: number
  readonly jobs: readonly JobPlan[]
  readonly pace: TaskPace
  /** In order of time. */
  readonly faults: readonly Fault[]
}

/** Base folder of all checkpoints, and of all savepoints. */
export const CHECKPOINTS = 'sim:/checkpoints'
export const SAVEPOINTS = 'sim:/savepoints'

/** What a seed stands for. Changing anything here changes the meaning of all seeds. */
export function scenarioOf(seed: number): Scenario {
  const random = new SeededRandom(seed * 2_654_435_761)
  const upTo = (n: number): number => Math.floor(random.next() * n)
  const one = <T>(...choices: readonly T[]): T => choices[upTo(choices.length)]!
  const pace = { emitEveryMs: one(20, 40, 80), batch: 1 + upTo(2), startMs: one(5, 40, 200) }
  const jobs = Array.from({ length: random.next() < 0.75 ? 1 : 2 }, (_, index): JobPlan => {
    const topology = one<Topology>('hash', 'hash', 'forward', 'map')
    // So long that most faults find it at work.
    const rounds = Math.ceil((2000 + upTo(5000)) / pace.emitEveryMs)
    return {
      workload: { name: `job-${index}`, splits: 1 + upTo(4), recordsPerSplit: rounds * pace.batch },
      topology,
      parallelism: 1 + upTo(3),
      separateSlots: random.next() < 0.2,
      submitAtMs: upTo(600),
      checkpointing: drawCheckpointing(random),
      restartDelayMs: one(0, 50, 300),
    }
  })
  const needed = jobs.reduce((sum, job) => sum + slotsOf(job), 0)
  const taskManagers: number[] = []
  for (let slots = 0; slots < needed + one(0, 0, 1, 2); ) {
    taskManagers.push(one(1, 2, 2, 3))
    slots += taskManagers.at(-1)!
  }
  const newJobs = jobs.map((job, index) => varied(job, new SeededRandom(seed * 97 + index), 0.3))
  const faults = drawFaults(random, jobs.length)
  const highAvailability = new SeededRandom(seed ^ 0x2545f491).next()
  const jobManagers = highAvailability < 0.15 ? 1 : 2
  const scenario = { seed, taskManagers, jobs: newJobs, pace, faults }
  return withMore({ ...scenario, ...(highAvailability < 0.4 && { jobManagers }) })
}

/** Some jobs have a part in the job host, and some have unaligned checkpoints, timed-out ones among them. */
function varied(job: JobPlan, random: SeededRandom, unalignedPart: number): JobPlan {
  const coordinated = random.next() < 0.3
  const alignedTimeoutMs = [0, 0, 30, 200][Math.floor(random.next() * 4)]!
  const unaligned = random.next() < unalignedPart
  const { workload, checkpointing } = job
  // Several for each reader, one after the other.
  const splits = 6 + Math.floor(random.next() * 20)
  const perSplit = Math.ceil((workload.recordsPerSplit * job.parallelism) / splits)
  return {
    ...job,
    ...(coordinated && { coordinated, workload: { ...workload, splits, recordsPerSplit: perSplit } }),
    ...(unaligned && { checkpointing: { ...checkpointing, unaligned: { alignedTimeoutMs } } }),
  }
}

/** Faults and a pace that concern what some jobs have: of their own random numbers. */
function withMore(scenario: Scenario): Scenario {
  const random = new SeededRandom(scenario.seed * 7919)
  const { jobs, faults, pace } = scenario
  const hosted = jobs.some(({ coordinated }) => coordinated === true)
  const unaligned = jobs.some(({ checkpointing }) => checkpointing.unaligned !== undefined)
  const more = [...(hosted ? drawHostFaults(random) : []), ...(unaligned ? drawSlowTasks(random) : [])]
  // So that records are on their way when a checkpoint is taken.
  const share = [0.3, 0.6, 1][Math.floor(random.next() * 3)]!
  const batchMs = (pace.emitEveryMs * share) / Math.max(...jobs.map(({ parallelism }) => parallelism))
  return {
    ...scenario,
    faults: [...faults, ...more].toSorted((a, b) => a.atMs - b.atMs),
    ...(unaligned && { pace: { ...pace, batchMs } }),
  }
}

/** As {@link scenarioOf}, but with two JobManagers and faults that concern who leads. */
export function leaderScenarioOf(seed: number): Scenario {
  const scenario = scenarioOf(seed)
  const faults = drawLeaderFaults(new SeededRandom(seed * 40_503), scenario.jobs.length)
  return withMore({ ...scenario, jobManagers: 2, faults })
}

/** As {@link scenarioOf}, but records are on their way in all jobs when checkpoints are taken, which are unaligned. */
export function unalignedScenarioOf(seed: number): Scenario {
  const { jobs, faults: _, ...scenario } = scenarioOf(seed)
  const unaligned = jobs.map((job, index) =>
    varied({ ...job, topology: 'hash' }, new SeededRandom(seed * 97 + index), 1),
  )
  return withMore({ ...scenario, jobs: unaligned, faults: drawSlowTasks(new SeededRandom(seed * 31)) })
}

/** As {@link unalignedScenarioOf}, but the barriers are waited for. */
export function alignedScenarioOf(seed: number): Scenario {
  const scenario = unalignedScenarioOf(seed)
  const jobs = scenario.jobs.map(({ checkpointing: { unaligned: _, ...checkpointing }, ...job }) => ({
    ...job,
    checkpointing,
  }))
  return { ...scenario, jobs }
}

/** Slots that a job needs at most. */
function slotsOf({ topology, parallelism, separateSlots }: JobPlan): number {
  const vertices = topology === 'map' ? 3 : 2
  return separateSlots ? vertices * parallelism : parallelism
}

function drawCheckpointing(random: SeededRandom): CheckpointSettings {
  const upTo = (n: number): number => Math.floor(random.next() * n)
  return {
    intervalMs: 200 + upTo(800),
    mode: 'exactly-once',
    minPauseMs: random.next() < 0.5 ? 0 : upTo(300),
    timeoutMs: 1000 + upTo(4000),
    maxConcurrent: 1 + upTo(2),
    tolerableFailures: upTo(4),
    directory: CHECKPOINTS,
    retained: 1 + upTo(2),
    externalizedRetention: 'retain-on-cancellation',
  }
}
