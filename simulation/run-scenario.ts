import { endOf } from './faults.ts'
import { describeLeaks, timersOf } from './leaks.ts'
import type { Scenario } from './scenario.ts'
import { SimulatedCluster } from './simulated-cluster.ts'
import type { Violation } from './violation.ts'
import { type Trace, World } from './world.ts'

/** What a run has come to. */
export interface Outcome {
  /** Undefined: everything held. */
  readonly violation: Violation | undefined
  readonly virtualMs: number
  readonly events: number
}

const START_LIMIT_MS = 10_000
/** How long jobs may take when nothing is wrong any more. */
const END_LIMIT_MS = 60_000
/** How long it may take until nothing is left of them. */
const CLEAN_LIMIT_MS = 30_000

/** Runs one scenario from the start of the cluster until its jobs are done and nothing is left of them. */
export async function runScenario(scenario: Scenario, trace?: Trace): Promise<Outcome> {
  const world = new World(scenario.seed, trace)
  const unhandled = (error: unknown): void =>
    world.verdict.violated('crash', `nobody handles: ${error instanceof Error ? error.stack : String(error)}`)
  process.on('unhandledRejection', unhandled)
  try {
    await run(scenario, world)
  } catch (error) {
    const { message, stack } = error as Error
    world.verdict.violated('crash', stack ?? message)
  } finally {
    process.off('unhandledRejection', unhandled)
  }
  const { violation } = world.verdict
  if (violation !== undefined) world.logger('verdict').error({}, violation.message)
  return { violation, virtualMs: world.time.nowMs, events: world.time.events }
}

async function run(scenario: Scenario, world: World): Promise<void> {
  const { time, verdict } = world
  const cluster = new SimulatedCluster(scenario, world)
  const until = (done: () => boolean, forMs: number): Promise<boolean> =>
    time.run(() => verdict.violation !== undefined || done(), time.nowMs + forMs)

  let connected = 0
  for (const client of cluster.clients)
    client.connect().then(
      () => connected++,
      (error: unknown) => verdict.violated('crash', String(error)),
    )
  const started = await until(() => cluster.complete && connected === cluster.clients.length, START_LIMIT_MS)
  if (!started) verdict.violated('no-progress', 'the cluster does not come up')
  await until(() => false, 100)
  const timers = timersOf(cluster)

  const beginMs = time.nowMs
  for (const client of cluster.clients) time.after(client.plan.submitAtMs, () => client.start())
  for (const fault of scenario.faults) time.after(fault.atMs, () => cluster.apply(fault))
  const calmMs = Math.max(0, ...scenario.faults.map(endOf)) - (time.nowMs - beginMs)
  const done = (): boolean => cluster.clients.every(client => client.finished)
  await until(() => false, calmMs)
  if (!(await until(done, END_LIMIT_MS))) verdict.violated('no-progress', describeProgress(cluster, world))
  if (verdict.violation !== undefined) return

  let leaks: readonly string[] = []
  for (let waitedMs = 0; waitedMs < CLEAN_LIMIT_MS; waitedMs += 1000) {
    await until(() => false, 1000)
    leaks = describeLeaks(scenario, cluster, world, timers)
    if (leaks.length === 0 || verdict.violation !== undefined) return
  }
  verdict.violated('leak', leaks.join('; '))
}

function describeProgress(cluster: SimulatedCluster, world: World): string {
  return cluster.clients
    .filter(client => !client.finished)
    .map(({ plan: { workload }, jobId }) => {
      const total = workload.splits * workload.recordsPerSplit
      return `${workload.name} (${jobId ?? 'not submitted'}) has ${world.output.count(workload.name)} of ${total} records`
    })
    .join('; ')
}
