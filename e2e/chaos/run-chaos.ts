import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from '@flink-ts/common'
import { ChaosCluster } from './chaos-cluster.ts'
import { ChaosReport, type ChaosResult } from './chaos-report.ts'
import { type FaultKind, type PlannedFault, planFaults } from './fault-plan.ts'
import { type Inflicted, inflictFault } from './inflict-fault.ts'
import { JobLane } from './job-lane.ts'
import { JobMonitor } from './job-monitor.ts'

export interface ChaosOptions {
  readonly seed: number
  /** For so long faults and jobs begin; then what runs comes to its end. */
  readonly seconds: number
  /** Kinds of jobs: one of each runs at any time. */
  readonly lanes: readonly string[]
  readonly kinds: readonly FaultKind[]
  /** Between the starts of two faults. */
  readonly pauseMs: readonly [number, number]
  /** A fault waits so long for the recovery from those before, if it waits at all. */
  readonly patienceMs: number
  readonly jobSeconds: readonly [number, number]
  /** Faults to do instead of those that the seed gives. */
  readonly schedule?: readonly PlannedFault[]
  /** Gets a line for each event. */
  readonly say: (line: string) => void
  /** Gets the state of the run every second. */
  readonly progress?: (report: ChaosReport) => void
}

/** Since the last fault that began: each one throws back the recovery from those before. Enough for a busy machine. */
const RECOVERY_LIMIT_MS = 180_000

/**
 * Runs jobs on a cluster of real processes, does to it what the seed says, and compares what the jobs wrote with what
 * they must write. Resolves with what it found; rejects only if the cluster could not be started.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const chaos = await ChaosCluster.start({ taskManagers: 4, slots: 4 })
  const report = new ChaosReport(options.seed, options.say)
  const removeAll = (): void => chaos.remove()
  process.once('exit', removeAll)
  const monitor = new JobMonitor(chaos)
  const progress = setInterval(() => options.progress?.(report), 1000)
  try {
    const lanes = options.lanes.map(
      (kind, i) =>
        new JobLane(
          { kind, seed: options.seed * 31 + i, jobSeconds: options.jobSeconds },
          { chaos, monitor, report },
        ),
    )
    const isOver = (): boolean => report.elapsedMs >= options.seconds * 1000 || report.failures > 0
    const running = Promise.all(lanes.map(lane => lane.run(isOver)))
    await new FaultRunner(options, { chaos, lanes, monitor, report }).run(isOver)
    await running
    await checkEnd({ chaos, monitor, report })
  } finally {
    clearInterval(progress)
    await monitor.stop()
    report.left(await chaos.stop())
    process.removeListener('exit', removeAll)
    if (report.isRight) chaos.remove()
    else {
      chaos.keep()
      report.event(`logs and files are kept in ${chaos.cluster.folder} and ${chaos.folder}`)
    }
  }
  return report.result()
}

interface Parts {
  readonly chaos: ChaosCluster
  readonly monitor: JobMonitor
  readonly report: ChaosReport
}

/** Does one fault after the other, some before the cluster has recovered from the last one. */
class FaultRunner {
  readonly #options: ChaosOptions
  readonly #deps: Parts & { readonly lanes: readonly JobLane[] }
  readonly #pending = new Set<Promise<void>>()
  #lastBeganAt = 0

  constructor(options: ChaosOptions, dependencies: Parts & { readonly lanes: readonly JobLane[] }) {
    this.#options = options
    this.#deps = dependencies
  }

  /** Resolves when all faults have ended and the cluster has recovered. */
  async run(isOver: () => boolean): Promise<void> {
    const { seed, kinds, pauseMs, schedule } = this.#options
    const planned = schedule ?? planFaults(new SeededRandom(seed), { kinds, pauseMs })
    for (const fault of planned) {
      await sleepUnless(isOver, fault.pauseMs)
      if (!fault.overlaps)
        await Promise.race([Promise.all(this.#pending), sleepUnless(isOver, this.#options.patienceMs)])
      if (isOver()) break
      const { lanes } = this.#deps
      // Those that have not recovered from the fault before, too: what is waited for is that all run.
      const running = lanes.flatMap(({ jobId }) => jobId ?? [])
      this.#lastBeganAt = performance.now()
      const inflicted = await inflictFault(fault, this.#deps)
      const done = this.#deps.report.began(fault, inflicted?.target)
      if (inflicted === undefined) continue
      const following = this.#follow(fault, inflicted, running)
        .then(
          recoveryMs => {
            if (recoveryMs !== undefined) done.recoveryMs = recoveryMs
          },
          (error: unknown) => this.#deps.report.failed(`after ${fault.kind}: ${(error as Error).message}`),
        )
        .finally(() => this.#pending.delete(following))
      this.#pending.add(following)
    }
    await Promise.all(this.#pending)
  }

  /**
   * @param jobs that ran before the fault
   * @returns how long the recovery took; undefined: there was no job that had to recover
   */
  async #follow(
    fault: PlannedFault,
    inflicted: Inflicted,
    jobs: readonly string[],
  ): Promise<number | undefined> {
    const began = performance.now()
    const ended = (async () => {
      await new Promise(resolve => setTimeout(resolve, fault.durationMs))
      await inflicted.end()
    })()
    if (!inflicted.atOnce) {
      await ended
      return this.#recovered(inflicted, jobs, performance.now())
    }
    const [recoveryMs] = await Promise.all([this.#recovered(inflicted, jobs, began), ended])
    return recoveryMs
  }

  async #recovered(
    inflicted: Inflicted,
    before: readonly string[],
    since: number,
  ): Promise<number | undefined> {
    const { lanes, monitor } = this.#deps
    for (;;) {
      const limit = Math.max(since, this.#lastBeganAt) + RECOVERY_LIMIT_MS
      const noticed = await inflicted.isNoticed()
      const noticedAt = performance.now()
      while (monitor.askedAt < noticedAt && performance.now() < limit) await sleepUnless(() => false, 20)
      const isAnswered = monitor.askedAt >= noticedAt
      // One that was stopped or is over has another id, or none.
      const jobs = lanes.flatMap(({ jobId }) =>
        jobId !== undefined && before.includes(jobId) ? [jobId] : [],
      )
      if (noticed && isAnswered && jobs.every(jobId => monitor.isUp(jobId)))
        return jobs.length === 0 ? undefined : Math.round(performance.now() - since)
      if (performance.now() > limit) {
        const states = jobs.map(jobId => `${jobId} ${monitor.stateOf(jobId)}`).join(', ')
        throw new Error(
          `no recovery within ${RECOVERY_LIMIT_MS} ms${noticed ? '' : ', not noticed'}${isAnswered ? '' : ', no JobManager answers'}: ${states}`,
        )
      }
    }
  }
}

/** When all jobs are over: nothing is left of them, all processes are there and free. */
async function checkEnd({ chaos, monitor, report }: Parts): Promise<void> {
  // Who was killed last has left a folder for whoever starts next.
  await chaos.startTaskManager()
  const wanted = chaos.taskManagers.length
  try {
    await chaos.cluster.until('all TaskManagers with all slots free', 60_000, async () => {
      const slots = monitor.slots
      return slots?.taskManagers === wanted && slots.available === slots.total
    })
  } catch (error) {
    report.failed(`at the end: ${(error as Error).message.split('\n')[0]}: ${JSON.stringify(monitor.slots)}`)
  }
  const files = (folder: string): readonly string[] => {
    const path = join(chaos.storage, folder)
    if (!existsSync(path)) return []
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name))
  }
  report.left(files('checkpoints'))
  report.left(files('ha/default/jobs').filter(path => !/\/record-\d+$/.test(path)))
  for (const member of [...chaos.taskManagers, ...chaos.jobManagers]) {
    const { exitCode, signalCode, pid } = member.process
    if (exitCode !== null || signalCode !== null)
      report.failed(`process ${pid} ended by itself: ${exitCode ?? signalCode}`)
  }
}

async function sleepUnless(isOver: () => boolean, ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end && !isOver(); )
    await new Promise(resolve => setTimeout(resolve, Math.max(1, Math.min(50, end - performance.now()))))
}
