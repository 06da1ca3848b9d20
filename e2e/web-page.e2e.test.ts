import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPage, startBrowser, whyNoBrowser } from './harness/browser.ts'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/observed.ts')
const reason = whyNoBrowser()

describe.skipIf(reason !== undefined)(
  `the web page in a browser${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let logs: string
    let cluster: TestCluster
    let browser: Browser
    let origin: string
    let jobs: { readonly running: string; readonly failed: string; readonly finished: string }
    beforeAll(async () => {
      execFileSync(process.execPath, [join(REPOSITORY, 'tools/build-web.mjs')])
      logs = mkdtempSync(join(tmpdir(), 'flink-web-'))
      // All processes write to the same one, as far as this test cares.
      process.env['FLINK_LOG_FILE'] = join(logs, 'flink.log')
      const starting = TestCluster.start({
        taskManagers: 1,
        slots: 4,
        // The one that is looked at must still be there when its page is.
        configuration: {
          'web.checkpoints.history': '1000',
          'execution.checkpointing.savepoint-dir': `file://${logs}/savepoints`,
        },
      })
      cluster = await starting.finally(() => delete process.env['FLINK_LOG_FILE'])
      origin = `http://127.0.0.1:${cluster.restPort}`
      const submit = (...args: readonly string[]) =>
        cluster.submitted(cluster.flink('run', '-d', '-p', '1', JOB, ...args))
      const [started, running, failed, finished] = await Promise.all([
        startBrowser(),
        submit('--name', 'running sensors', '--slow-ms', '1'),
        submit('--name', 'failed sensors', '--fail-at', '100'),
        submit('--name', 'finished sensors', '--records', '100'),
      ])
      browser = started
      jobs = { running, failed, finished }
      await Promise.all([
        cluster.untilJob(failed, 'FAILED', 60_000),
        cluster.untilJob(finished, 'FINISHED', 60_000),
      ])
      await cluster.firstCheckpoint(running)
    })
    afterAll(async () => {
      await browser?.close()
      expect(await cluster?.stop()).toEqual([])
      rmSync(logs, { recursive: true })
    })

    async function vertexOf(name: string): Promise<string> {
      const job = await cluster.rest<{ vertices: { id: string; name: string }[] }>(`/jobs/${jobs.running}`)
      return job?.vertices.find(vertex => vertex.name.includes(name))?.id ?? ''
    }

    /** Every place of the page with a text that only its answers give. */
    async function places(): Promise<readonly (readonly [path: string, text: string | RegExp])[]> {
      const { running, failed, finished } = jobs
      const vertex = await vertexOf('hottest')
      const checkpoints = await cluster.rest<{ latest: { completed: { id: number } } }>(
        `/jobs/${running}/checkpoints`,
      )
      const job = `#/job/${running}`
      const drawer = `${job}/graph?vertex=${vertex}&show=`
      return [
        ['', 'running sensors'],
        ['#/jobs/running', 'running sensors'],
        ['#/jobs/completed', 'failed sensors'],
        [job, /limits? the job|at its limit|by bursts/],
        [`${drawer}detail`, /at most \d+/],
        [`${drawer}subtasks`, 'Task manager'],
        [`${drawer}skew`, 'One subtask has it all.'],
        [`${drawer}task-managers`, '1 running'],
        [`${drawer}watermarks`, '2023-11-14'],
        [`${drawer}back-pressure`, /\bok\b|\blow\b|\bhigh\b/],
        [`${drawer}accumulators`, /has added nothing/],
        [`${drawer}metrics`, /Find one of \d+ metrics|numRecordsIn/],
        [`${drawer}flame-graph`, /With what it calls|No sample was found/],
        [`${drawer}tap`, 'A look takes'],
        [`${job}/checkpoints`, 'Latest completed checkpoint'],
        [`${job}/checkpoints/history`, 'completed'],
        [`${job}/checkpoints/history/${checkpoints?.latest.completed.id}`, 'By vertex'],
        [`${job}/checkpoints/summary`, 'Average'],
        [`${job}/checkpoints/configuration`, 'exactly once'],
        [`${job}/exceptions`, 'Nothing has failed.'],
        [`${job}/timeline`, 'hottest of a second'],
        [`${job}/configuration`, 'north'],
        [`${job}/accumulators`, 'checked'],
        [`#/job/${failed}`, /no sensor measures 100 degrees/],
        [`#/job/${failed}/exceptions`, 'observed.ts'],
        [`#/job/${failed}/timeline`, 'failed'],
        [`#/job/${finished}`, 'all tasks came to their end'],
        [`#/job/${finished}/accumulators`, 'checked'],
        ['#/submit', 'No program has been uploaded.'],
        ['#/submit/unknown', 'No program has been uploaded.'],
        ['#/task-managers', 'taskmanager-0'],
        ['#/task-manager/taskmanager-0', 'running sensors'],
        ['#/task-manager/taskmanager-0/metrics', 'Status.JVM.CPU.Load'],
        ['#/task-manager/taskmanager-0/logs', 'Process starts'],
        ['#/task-manager/taskmanager-0/stdout', 'Nothing has been printed'],
        ['#/task-manager/taskmanager-0/threads', 'main'],
        ['#/task-manager/taskmanager-0/profiler', 'This process has not been profiled.'],
        ['#/job-manager', 'execution.checkpointing.dir'],
        ['#/job-manager/metrics', 'numRunningJobs'],
        ['#/job-manager/logs', 'JobManager is ready'],
        ['#/job-manager/threads', 'main'],
        ['#/job-manager/profiler', 'This process has not been profiled.'],
        ['#/nowhere', 'There is no such page'],
      ]
    }

    const NARROW = { width: 400, height: 800 }
    const WIDE = { width: 1280, height: 800 }

    test('shows every place without an error, and within the width of a telephone', async () => {
      const { page, troubles } = await openPage(browser, origin, { viewport: WIDE })
      for (const [path, text] of await places()) {
        await page.goto(`/${path}`)
        await page.locator('#page').getByText(text).first().waitFor({ state: 'attached', timeout: 30_000 })
        for (const size of [NARROW, WIDE]) {
          await page.setViewportSize(size)
          // Charts are drawn anew in the next frame.
          await expect
            .poll(async () => [path, await page.evaluate('document.documentElement.scrollWidth')])
            .toEqual([path, size.width])
        }
        expect([path, troubles()]).toEqual([path, []])
      }
      await page.context().close()
    })

    test('opens on a telephone, in the colours of its system', async () => {
      for (const [colorScheme, colour] of [
        ['light', 'rgb(246, 247, 248)'],
        ['dark', 'rgb(17, 22, 26)'],
      ] as const) {
        const { page, troubles } = await openPage(browser, origin, { colorScheme, viewport: NARROW })
        await page.goto(`/#/job/${jobs.running}`)
        await page
          .getByRole('button', { name: /^check/ })
          .first()
          .waitFor()
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(NARROW.width)
        expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(colour)
        expect(troubles()).toEqual([])
        await page.context().close()
      }
    })

    test('is walked by the keyboard: to a vertex, into its drawer, and back', async () => {
      const { page, troubles } = await openPage(browser, origin)
      await page.goto(`/#/job/${jobs.running}`)
      const vertex = page.getByRole('button', { name: /^check/ }).first()
      await vertex.waitFor()
      const focused = () => page.evaluate('document.activeElement.textContent')
      for (let tabs = 0; tabs < 40 && !String(await focused()).startsWith('check'); tabs++)
        await page.keyboard.press('Tab')
      await page.keyboard.press('Enter')
      await page.getByRole('complementary').getByText('Operator').waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('complementary').waitFor({ state: 'detached' })
      expect(await focused()).toMatch(/^check/)
      expect(troubles()).toEqual([])
      await page.context().close()
    })

    test('takes a program that is dropped, shows its plan, runs it, starts it again, and removes it', async () => {
      const bundle = join(logs, 'sensors.tgz')
      const { code, stderr } = await cluster.flink('bundle', JOB, '-o', bundle).finished
      expect(code, stderr).toBe(0)
      const { page, troubles } = await openPage(browser, origin)
      await page.goto('/#/submit')
      const drop = async (name: string, content: Buffer) => {
        const bytes = `Uint8Array.from(atob('${content.toString('base64')}'), c => c.charCodeAt(0))`
        const dataTransfer = await page.evaluateHandle(
          `(() => { const t = new DataTransfer(); t.items.add(new File([${bytes}], '${name}')); return t })()`,
        )
        await page.getByText('Drop a job bundle here').dispatchEvent('drop', { dataTransfer })
      }
      await drop('job.jar', Buffer.from('PK'))
      await page
        .getByRole('alert')
        .getByText(/flink bundle/)
        .waitFor()
      expect(troubles().every(trouble => trouble.includes('400'))).toBe(true)
      await drop('sensors.tgz', readFileSync(bundle))
      await page.getByRole('heading', { name: 'Run sensors.tgz' }).waitFor()

      const program = page.getByLabel('Arguments')
      await program.fill('--name "submitted')
      await page.getByText(/does not end with it/).waitFor()
      await program.fill('--name "submitted sensors" --records 100')
      await page.getByLabel('Parallelism').fill('2')
      await page.getByRole('button', { name: 'Show plan' }).click()
      await page.getByRole('region', { name: 'Plan' }).getByText('hottest of a second').waitFor()
      expect(await page.getByRole('region', { name: 'Plan' }).getByText('×2').count()).toBeGreaterThan(0)
      await page.getByRole('button', { name: 'Run', exact: true }).click()

      /** Waits until the job of this place is over. */
      const over = async (): Promise<string> => {
        await page.getByRole('heading', { name: 'submitted sensors' }).waitFor()
        const jobId = /[0-9a-f]{32}/.exec(page.url())?.[0] ?? ''
        await cluster.untilJob(jobId, 'FINISHED', 60_000)
        return jobId
      }
      const first = await over()
      await page.getByRole('button', { name: 'Start again' }).click()
      await page.getByLabel('the beginning, without state').check()
      await page.getByRole('dialog').getByRole('button', { name: 'Start again' }).click()
      await page.getByRole('link', { name: /^runs as job/ }).click()
      await page.waitForURL(url => !url.href.includes(first))
      expect(await over()).not.toBe(first)

      await page.goto('/#/submit')
      await page.getByRole('button', { name: 'Remove sensors.tgz' }).click()
      await page.getByText('No program has been uploaded.').waitFor()
      expect(troubles()).toEqual([])
      await page.context().close()
    })

    test('counts keys, and looks at records in flight', async () => {
      const { page, troubles } = await openPage(browser, origin)
      const vertex = await vertexOf('hottest')
      const drawer = `/#/job/${jobs.running}/graph?vertex=${vertex}&show=`
      await page.goto(`${drawer}skew`)
      await page.getByRole('button', { name: 'Count keys' }).click()
      await page
        .getByRole('region', { name: 'Keys' })
        .getByText(/'s\d+'|^s\d+$/)
        .first()
        .waitFor()
      await page.goto(`${drawer}tap`)
      await page.getByRole('complementary').getByRole('combobox').first().selectOption('received')
      await page.getByRole('button', { name: 'Look', exact: true }).click()
      await page
        .getByText(/sensor: 's\d+'/)
        .first()
        .waitFor()
      expect(troubles()).toEqual([])
      await page.context().close()
    })

    test('takes checkpoints and savepoints, says what went wrong, and stops a job', async () => {
      const { page, troubles } = await openPage(browser, origin)
      await page.goto(`/#/job/${jobs.running}`)
      const ask = async (name: string, folder: string | undefined, confirm: string) => {
        await page.getByRole('button', { name, exact: true }).click()
        if (folder !== undefined) await page.getByLabel('Folder').fill(folder)
        await page.getByRole('dialog').getByRole('button', { name: confirm, exact: true }).click()
      }
      await ask('Checkpoint now', undefined, 'Checkpoint')
      await page.getByText(/^checkpoint \d+$/).waitFor()
      await ask('Savepoint', join(cluster.folder, 'conf/flink-conf.yaml'), 'Savepoint')
      await page.getByText(/No savepoint can be written to/).waitFor()
      const folder = join(cluster.folder, 'savepoints')
      await ask('Stop', folder, 'Stop with savepoint')
      await page.getByText(`file://${folder}/savepoint-`).waitFor()
      await cluster.untilJob(jobs.running, 'FINISHED')
      await page.getByText('FINISHED', { exact: true }).first().waitFor()
      // What was started stays to be seen after a reload.
      await page.reload()
      await page.getByText(`file://${folder}/savepoint-`).waitFor()
      expect(troubles()).toEqual([])
      await page.context().close()
    })

    test('starts a job that is over again from its savepoint, and restarts it from one that is taken now', async () => {
      const { page, troubles } = await openPage(browser, origin)
      await page.goto(`/#/job/${jobs.running}`)
      /** Follows the link to the new job, which has the state of the one before. */
      const next = async (before: string): Promise<string> => {
        await page.getByRole('link', { name: /^runs as job/ }).click()
        await page.waitForURL(url => !url.href.includes(before))
        const jobId = /[0-9a-f]{32}/.exec(page.url())?.[0] ?? ''
        await cluster.untilJob(jobId, 'RUNNING', 60_000)
        await cluster.until('its state', 60_000, async () => {
          const checkpoints = await cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
          return checkpoints?.counts.restored === 1
        })
        return jobId
      }
      await page.getByRole('button', { name: 'Start again' }).click()
      expect(await page.getByLabel(/savepoint that ended the job/).isChecked()).toBe(true)
      await page.getByRole('dialog').getByRole('button', { name: 'Start again' }).click()
      const second = await next(jobs.running)
      await cluster.firstCheckpoint(second)
      await page.getByRole('button', { name: 'Restart' }).click()
      await page.getByRole('button', { name: 'End and restart' }).click()
      const third = await next(second)
      await cluster.untilJob(second, 'FINISHED')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Cancel the job' }).click()
      await cluster.untilJob(third, 'CANCELED')
      expect(troubles()).toEqual([])
      await page.context().close()
    })
  },
)
