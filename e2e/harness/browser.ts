import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const EXECUTABLE = '/usr/bin/chromium'

/** Why no browser can be started here; undefined: one can. */
export function whyNoBrowser(): string | undefined {
  const { CI, FLINK_TEST_SYSTEM } = process.env
  if (CI !== 'true' && FLINK_TEST_SYSTEM !== '1')
    return 'needs Chromium of the system: set FLINK_TEST_SYSTEM=1'
  return existsSync(EXECUTABLE) ? undefined : 'needs chromium: see .ci/system-packages'
}

/** Starts Debian's Chromium without a window. */
export function startBrowser(): Promise<Browser> {
  // Containers give root no sandbox, and little shared memory.
  return chromium.launch({ executablePath: EXECUTABLE, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
}

/** A page that notes everything that went wrong in it: errors, failed requests, requests to other hosts. */
export interface WatchedPage {
  readonly page: Page
  /** What went wrong since the last call. */
  troubles(): readonly string[]
}

/** Opens a page at `origin`, where all its requests must go. */
export async function openPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ baseURL: origin, ...options })
  const page = await context.newPage()
  const noted: string[] = []
  page.on('pageerror', error => noted.push(`error: ${error.message}`))
  page.on('console', message => {
    if (['error', 'warning'].includes(message.type())) noted.push(`console: ${message.text()}`)
  })
  page.on('request', request => {
    if (!request.url().startsWith(`${origin}/`)) noted.push(`request to another host: ${request.url()}`)
  })
  page.on('response', response => {
    if (response.status() >= 400) noted.push(`${response.status()} ${response.url()}`)
  })
  page.on('requestfailed', request => {
    const reason = request.failure()?.errorText ?? ''
    // What is left gives up what it has asked for.
    if (!reason.includes('ERR_ABORTED')) noted.push(`${reason} ${request.url()}`)
  })
  return { page, troubles: () => noted.splice(0) }
}
