import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Configuration, ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import { afterEach, expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { createRestServer } from './rest-server.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** A server of a page of two files, in a folder beside one that nobody may read. */
async function start(authToken?: string): Promise<(path: string, headers?: object) => Promise<Response>> {
  const folder = mkdtempSync(join(tmpdir(), 'flink-page-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'page/assets'), { recursive: true })
  writeFileSync(join(folder, 'page/index.html'), '<!doctype html><title>a page</title>')
  writeFileSync(join(folder, 'page/assets/main-1.js'), `const s = '${'a'.repeat(1000)}'`)
  writeFileSync(join(folder, 'secret.html'), 'a secret')
  const server = createRestServer(
    {
      ...{ bindAddress: '127.0.0.1', port: 0, allowUnauthenticated: false, authToken },
      webPage: join(folder, 'page'),
    },
    {
      dispatcher: { listJobs: async () => [] } as never,
      clock: new ManualClock(0),
      random: new SeededRandom(1),
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      logger: nullLogger,
      version: '0.1.0',
    },
  )
  const port = await server.start()
  cleanups.unshift(() => server.close())
  return (path, headers = {}) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { ...headers } })
}

it('serves the page at / and its assets, with types, validators and a policy that forbids everything else', async () => {
  const get = await start()
  const index = await get('/')
  expect([index.status, await index.text()]).toEqual([200, '<!doctype html><title>a page</title>'])
  expect(Object.fromEntries(index.headers)).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-encoding': 'gzip',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
    'x-content-type-options': 'nosniff',
  })
  const again = await get('/index.html', { 'if-none-match': index.headers.get('etag') })
  expect([again.status, await again.text()]).toEqual([304, ''])
  const script = await get('/assets/main-1.js', { 'accept-encoding': 'identity' })
  expect(Object.fromEntries(script.headers)).toMatchObject({
    'content-type': 'text/javascript; charset=utf-8',
    'cache-control': expect.stringContaining('immutable'),
    'content-length': '1012',
  })
  expect(script.headers.get('content-encoding')).toBe(null)
  expect(await (await get('/jobs')).json()).toEqual({ jobs: [] })
})

it.each([
  '/../secret.html',
  '/assets/..%2f..%2fsecret.html',
  '/%2e%2e/secret.html',
  '/assets/',
  '/secret.html',
])('answers %s with 404', async path => {
  expect((await (await start())(path)).status).toBe(404)
})

it('demands no token for the page, which asks for it, but for all else', async () => {
  const get = await start('a token of some length')
  const statuses = await Promise.all(
    ['/', '/assets/main-1.js', '/jobs', '/nothing'].map(async path => (await get(path)).status),
  )
  expect(statuses).toEqual([200, 200, 401, 401])
})
