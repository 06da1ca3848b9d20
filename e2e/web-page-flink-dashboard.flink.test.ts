import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPage, startBrowser, whyNoBrowser } from './harness/browser.ts'
import { DashboardProxy } from './harness/dashboard-proxy.ts'
import { unpackDashboard, whyNoFlink } from './harness/flink-release.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/observed.ts')
const reason = whyNoFlink() ?? whyNoBrowser()

/** What pages show where a field is missing that they count on. */
const MISSING = /\bNaN\b|\bundefined\b|\[object |Invalid date/i

describe.skipIf(reason !== undefined)(
  `the dashboard of Apache Flink 1.20${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let logs: string
    let cluster: TestCluster
    let proxy: DashboardProxy
    let browser: Browser
    let jobs: { readonly running: string; readonly failed: string; readonly finished: string }
    beforeAll(async () => {
      logs = mkdtempSync(join(tmpdir(), 'flink-dashboard-'))
      // As the start scripts have it: a log, and a file beside it for standard output.
      process.env['FLINK_LOG_FILE'] = join(logs, 'flink.log')
      writeFileSync(join(logs, 'flink.out'), '')
      const starting = TestCluster.start({ taskManagers: 1, slots: 4, retainedCheckpoints: true })
      cluster = await starting.finally(() => delete process.env['FLINK_LOG_FILE'])
      const submit = (...args: readonly string[]) =>
        cluster.submitted(cluster.flink('run', '-d', '-p', '1', JOB, ...args))
      const [running, failed, finished] = await Promise.all([
        submit('--name', 'running sensors'),
        submit('--name', 'failed sensors', '--fail-at', '100'),
        submit('--name', 'finished sensors', '--records', '100'),
      ])
      jobs = { running, failed, finished }
      await Promise.all([cluster.untilJob(failed, 'FAILED'), cluster.untilJob(finished, 'FINISHED')])
      await cluster.firstCheckpoint(running)
      proxy = await DashboardProxy.start(unpackDashboard(join(logs, 'dashboard')), cluster.restPort)
      browser = await startBrowser()
    })
    afterAll(async () => {
      await browser?.close()
      await proxy?.close()
      expect(await cluster?.stop()).toEqual([])
      rmSync(logs, { recursive: true })
    })

    /** Every place of the dashboard with a text that only our answers give. */
    async function places(): Promise<readonly (readonly [path: string, text: string | RegExp])[]> {
      const vertices = (await cluster.rest<{ vertices: { id: string }[] }>(`/jobs/${jobs.running}`))?.vertices
      const job = `job/running/${jobs.running}`
      const vertex = `${job}/overview/${vertices?.[1]?.id}`
      const completed = (id: string, tab: string): string => `job/completed/${id}/${tab}`
      return [
        ['overview', 'running sensors'],
        ['job/running', 'running sensors'],
        ['job/completed', 'failed sensors'],
        [`${job}/overview`, 'hottest of a second'],
        [`${vertex}/detail`, 'Max Parallelism'],
        [`${vertex}/subtasks`, 'Subtask Metrics'],
        [`${vertex}/taskmanagers`, /127\.0\.0\.1:\d+/],
        [`${vertex}/watermarks`, /17\d{11}/],
        [`${vertex}/accumulators`, 'LongCounter'],
        [`${vertex}/backpressure`, 'Back Pressure Status'],
        [`${vertex}/metrics`, 'Add Metric'],
        [`${vertex}/flamegraph`, /On-CPU/],
        [`${job}/timeline`, 'running sensors'],
        [`${job}/exceptions`, 'Exception History'],
        [`${job}/checkpoints`, 'Latest Completed Checkpoint'],
        [`${job}/configuration`, 'Max. number of execution retries'],
        [`${job}/dataskew`, 'hottest of a second'],
        [completed(jobs.failed, 'overview'), 'failed sensors'],
        [completed(jobs.failed, 'exceptions'), 'no sensor measures 100 degrees'],
        [completed(jobs.finished, 'overview'), 'finished sensors'],
        [completed(jobs.finished, 'timeline'), 'finished sensors'],
        [completed(jobs.finished, 'checkpoints'), 'Latest Completed Checkpoint'],
        ['submit', 'Add New'],
        ['task-manager', /taskmanager-0/],
        ['task-manager/taskmanager-0/metrics', 'Flink Memory Model'],
        ['task-manager/taskmanager-0/logs', 'Process starts'],
        ['task-manager/taskmanager-0/stdout', 'Stdout'],
        ['task-manager/taskmanager-0/log-list', 'flink.log'],
        ['task-manager/taskmanager-0/thread-dump', '"main"'],
        ['task-manager/taskmanager-0/profiler', 'Create Profiling Instance'],
        ['job-manager/metrics', 'JVM Heap'],
        ['job-manager/config', 'execution.checkpointing.dir'],
        ['job-manager/logs', 'JobManager is ready'],
        ['job-manager/stdout', 'Stdout'],
        ['job-manager/log', 'flink.log'],
        ['job-manager/thread-dump', '"main"'],
        ['job-manager/profiler', 'Create Profiling Instance'],
      ]
    }

    test('shows every place of it with what this cluster answers, without an error', async () => {
      const { page, troubles } = await openPage(browser, proxy.origin, {
        viewport: { width: 1400, height: 900 },
      })
      const problems: unknown[] = []
      for (const [path, text] of await places()) {
        await page.goto('about:blank')
        await page.goto(`/#/${path}`)
        try {
          await page.getByText(text).first().waitFor({ state: 'attached', timeout: 30_000 })
        } catch {
          problems.push([path, `does not show ${text}`])
        }
        // Charts make workers of their own code.
        const troublesHere = troubles().filter(trouble => !trouble.includes(`blob:${proxy.origin}`))
        if (troublesHere.length > 0) problems.push([path, troublesHere])
        const shown = String(await page.evaluate('document.body.innerText'))
        if (MISSING.test(shown)) problems.push([path, MISSING.exec(shown)])
      }
      expect(problems).toEqual([])
      await page.context().close()
    }, 900_000)

    test('cancels a job by its button', async () => {
      const { page } = await openPage(browser, proxy.origin)
      await page.goto(`/#/job/running/${jobs.running}/overview`)
      await page.getByText('Cancel Job').click()
      await page.getByRole('button', { name: /^(yes|ok)$/i }).click()
      await cluster.untilJob(jobs.running, 'CANCELED')
      await page.context().close()
    })
  },
)
