// What the web page and REST cost, as numbers: npm run bench:web
// Times mean something on a machine that does nothing else; CPU time does on any. Needs Chromium.
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openPage, startBrowser } from '../e2e/harness/browser.ts'
import { REPOSITORY, TestCluster } from '../e2e/harness/test-cluster.ts'

const WAITING_JOBS = 100
const WAITING_PARALLELISM = 64
const REQUESTS = 500
const PAINTS = 9
const OPEN_MS = 20_000
/** Of one core; Linux counts CPU time in these. */
const TICKS_PER_SECOND = 100

/** One program, many jobs: none of them gets a slot. */
const WAITING_PROGRAM = `import { DiscardingSink, StreamExecutionEnvironment } from 'flink-ts'
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(${WAITING_PARALLELISM})
for (let i = 0; i < ${WAITING_JOBS}; i++) {
  env.fromSequence(1, 1e12).rebalance().map(n => n + 1).rebalance().sinkTo(new DiscardingSink<number>())
  await env.executeAsync('waiting ' + i)
}
`

/** CPU time of a process so far, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

const at = (sorted: readonly number[], share: number): string =>
  (sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0).toFixed(1)

function print(what: string, value: string): void {
  console.log(`${what.padEnd(72)} ${value}`)
}

const cluster = await TestCluster.start({
  ...{ taskManagers: 1, slots: 2, bundled: true, retainedCheckpoints: true },
})
const browser = await startBrowser()
try {
  const pid = cluster.jobManagerPid ?? 0
  const job = join(REPOSITORY, 'e2e/jobs/observed.ts')
  const submit = (parallelism: number, ...args: readonly string[]) =>
    cluster.flink('run', '-d', '-p', String(parallelism), job, ...args)
  print('load of the machine before', loadavg()[0]?.toFixed(1) ?? '')
  const busy = await cluster.submitted(submit(2, '--rate', '100000000', '--name', 'full load'))
  await cluster.untilJob(busy, 'RUNNING')

  const origin = `http://127.0.0.1:${cluster.restPort}`
  const paints: number[] = []
  for (let i = 0; i < PAINTS; i++) {
    const { page } = await openPage(browser, origin)
    await page.goto('/')
    await page.waitForFunction("performance.getEntriesByName('first-contentful-paint').length > 0")
    paints.push(
      Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")),
    )
    await page.context().close()
  }
  paints.sort((a, b) => a - b)
  print(
    `first paint, of ${PAINTS} (best, median), while a job uses all it gets`,
    `${at(paints, 0)} ms, ${at(paints, 0.5)} ms`,
  )

  const share = async (): Promise<number> => {
    const [startMs, start] = [performance.now(), cpuSeconds(pid)]
    await pause(OPEN_MS)
    return (100_000 * (cpuSeconds(pid) - start)) / (performance.now() - startMs)
  }
  let before = await share()
  for (const place of ['', `#/job/${busy}`]) {
    const { page } = await openPage(browser, origin)
    await page.goto(`/${place}`)
    await pause(3000)
    const open = await share()
    await page.context().close()
    const after = await share()
    const cost = open - (before + after) / 2
    before = after
    print(
      `a page left open, ${place === '' ? 'the overview' : 'a job'}: CPU of the JobManager`,
      `${cost.toFixed(2)} % of a core`,
    )
  }

  const waiting = join(cluster.folder, 'waiting.ts')
  writeFileSync(waiting, WAITING_PROGRAM)
  const { code, stderr } = await cluster.flink('run', waiting).finished
  if (code !== 0) throw new Error(stderr)
  await cluster.until('all jobs', 600_000, async () => {
    const listed = await cluster.rest<{ jobs: unknown[] }>('/jobs/overview')
    return listed?.jobs.length === WAITING_JOBS + 1
  })
  const times: number[] = []
  const startSeconds = cpuSeconds(pid)
  for (let i = 0; i < REQUESTS; i++) {
    const startMs = performance.now()
    await (await fetch(`${origin}/jobs/overview`)).arrayBuffer()
    times.push(performance.now() - startMs)
  }
  const each = (1000 * (cpuSeconds(pid) - startSeconds)) / REQUESTS
  times.sort((a, b) => a - b)
  const overview = `/jobs/overview, ${WAITING_JOBS} jobs at parallelism ${WAITING_PARALLELISM} and one at full load`
  print(`${overview}: p50, p99`, `${at(times, 0.5)} ms, ${at(times, 0.99)} ms`)
  print('  CPU of the JobManager for each', `${each.toFixed(2)} ms`)
  const metric = 'Status.EventLoop.DelayMaxMs'
  const [delay] = (await cluster.rest<{ value: string }[]>(`/jobmanager/metrics?get=${metric}`)) ?? []
  print('main thread of the JobManager: longest delay of the last 10 s', `${delay?.value} ms`)
  print('load of the machine after', loadavg()[0]?.toFixed(1) ?? '')
} finally {
  await browser.close()
  await cluster.stop()
}
