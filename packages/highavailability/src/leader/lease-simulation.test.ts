import { type JobId, ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { LeadershipLost } from '../errors.ts'
import { FileJobStore } from '../filesystem/file-job-store.ts'
import { FileLeaseStore } from '../filesystem/file-lease-store.ts'
import type { JobProgress } from '../store/job-progress.ts'
import { SharedFolder } from '../testing/shared-folder.ts'
import { LeaderCampaign } from './leader-campaign.ts'
import type { LeaderTerm } from './leader-term.ts'

const JOB = '0123456789abcdef0123456789abcdef' as JobId
const SEEDS = 60
const STEPS = 1500

/** One JobManager: its clock stands while it is frozen, and its file operations do not go on. */
class Process {
  readonly clock = new ManualClock()
  readonly pending: (() => void)[] = []
  frozen = false
  dead = false
}

interface History {
  /** The highest record that was confirmed to its writer, by epoch: it may act on it from then on, however late. */
  readonly acknowledged: Map<number, number>
  /** What each epoch began with. */
  readonly begun: Map<number, number>
  /** Epochs that were granted, in this order. */
  readonly granted: number[]
  readonly violations: string[]
}

/** What JobMasters do: read what counts, go on from there, record each step, count it when it is confirmed. */
async function work(store: FileJobStore, term: LeaderTerm, history: History): Promise<void> {
  const { acknowledged, begun, violations } = history
  const [job] = await store.list()
  let value = 0
  if (job === undefined) await store.add(JOB, 'program', [])
  else if (job.record.status === 'running') value = job.record.progress?.idsBelow ?? 0
  begun.set(term.epoch, value)
  for (const [epoch, before] of acknowledged) {
    if (epoch < term.epoch && before > value)
      violations.push(`epoch ${term.epoch} begins at ${value}, but epoch ${epoch} acted on ${before}`)
  }
  for (;;) {
    value++
    await store.record(JOB, { status: 'running', progress: { idsBelow: value } as JobProgress })
    acknowledged.set(term.epoch, value)
    for (const [epoch, start] of begun) {
      if (epoch > term.epoch && start < value)
        violations.push(`epoch ${term.epoch} acts on ${value}, but epoch ${epoch} has begun at ${start}`)
    }
  }
}

function start(process: Process, folder: SharedFolder, seed: number, history: History): LeaderCampaign {
  const fileSystem = folder.seenBy(() => new Promise(resolve => void process.pending.push(resolve)))
  const blobs = {} as never
  const campaign = new LeaderCampaign(
    {
      ...{ leaseDurationMs: 6000, renewDeadlineMs: 4000, retryPeriodMs: 500 },
      ...{ address: 'a', restAddress: 'r', holder: { machine: '', pid: 1, started: '' } },
    },
    {
      store: new FileLeaseStore({ folder: 'memory:/leader' }, { fileSystem }),
      isDead: () => false,
      clock: process.clock,
      random: new SeededRandom(seed),
      logger: nullLogger,
      contender: {
        async granted(term) {
          history.granted.push(term.epoch)
          const store = new FileJobStore(
            { folder: 'memory:/jobs' },
            { fileSystem, term, blobs, logger: nullLogger },
          )
          // Ends by losing the leadership, which is its only error.
          work(store, term, history).catch((error: unknown) => {
            if (!LeadershipLost.is(error)) history.violations.push(String(error))
          })
        },
        revoked: async () => {},
      },
    },
  )
  campaign.start()
  return campaign
}

async function simulate(seed: number): Promise<History> {
  const random = new SeededRandom(seed)
  const folder = new SharedFolder()
  const history: History = { acknowledged: new Map(), begun: new Map(), granted: [], violations: [] }
  const processes: Process[] = []
  const campaigns: LeaderCampaign[] = []
  const add = (): void => {
    const process = new Process()
    processes.push(process)
    campaigns.push(start(process, folder, seed * 100 + processes.length, history))
  }
  for (let i = 0; i < 3; i++) add()
  const below = (count: number): number => Math.floor(random.next() * count)
  for (let step = 0; step < STEPS; step++) {
    const awake = processes.filter(({ frozen, dead }) => !frozen && !dead)
    const process = awake[below(awake.length)]
    const dice = random.next()
    if (process === undefined || dice < 0.01) {
      const frozen = processes.filter(one => one.frozen && !one.dead)
      const thawed = frozen[below(frozen.length)]
      if (thawed !== undefined) thawed.frozen = false
    } else if (dice < 0.02) process.frozen = true
    else if (dice < 0.024) {
      process.dead = true
      add()
    } else if (dice < 0.1) process.clock.advance(below(3000))
    else process.pending.splice(below(process.pending.length), 1)[0]?.()
    await new Promise(setImmediate)
  }
  for (const one of processes) one.dead = true
  return history
}

test('whoever is frozen, killed or late: what was acknowledged is what the next leader begins with', async () => {
  let leaders = 0
  let acknowledged = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const history = await simulate(seed)
    expect(history.violations, `seed ${seed}`).toEqual([])
    expect(new Set(history.granted).size, `an epoch was granted twice, seed ${seed}`).toBe(
      history.granted.length,
    )
    leaders += history.granted.length
    acknowledged += Math.max(0, ...history.acknowledged.values())
  }
  // Otherwise it would prove nothing.
  expect(leaders).toBeGreaterThan(3 * SEEDS)
  expect(acknowledged).toBeGreaterThan(5 * SEEDS)
})
