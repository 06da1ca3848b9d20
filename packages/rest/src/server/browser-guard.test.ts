import { nullLogger } from '@flink-ts/common'
import { type FastifyInstance, fastify } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import { refuseForeignPages } from './browser-guard.ts'
import { errorAnswers } from './error-answers.ts'

let app: FastifyInstance
afterEach(() => app.close())

function serve(loopbackOnly: boolean) {
  app = fastify()
  errorAnswers(nullLogger).addTo(app)
  refuseForeignPages(app, { loopbackOnly })
  app.get('/jobs', async () => ({}))
  app.get('/jobs/:id/yarn-cancel', async () => ({}))
  app.post('/jars/upload', async () => ({}))
  return async (method: 'GET' | 'POST', url: string, headers: Record<string, string>) =>
    (await app.inject({ method, url, headers })).statusCode
}

const HERE = 'localhost:8081'

it('takes what programs and its own page send', async () => {
  const ask = serve(true)
  expect(await ask('POST', '/jars/upload', { host: 'node1:8081' })).toBe(200)
  for (const host of [HERE, '127.0.0.1:8081', '[::1]:8081']) {
    expect(await ask('POST', '/jars/upload', { host, origin: `http://${host}` })).toBe(200)
  }
  const own = { host: HERE, origin: `http://${HERE}`, 'sec-fetch-site': 'same-origin' }
  expect(await ask('POST', '/jars/upload', own)).toBe(200)
  expect(await ask('GET', '/jobs/1/yarn-cancel', { host: HERE, 'sec-fetch-site': 'none' })).toBe(200)
  expect(await ask('GET', '/jobs', { host: HERE, 'sec-fetch-site': 'cross-site' })).toBe(200)
})

it('refuses what pages of others make a browser send', async () => {
  const ask = serve(false)
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'http://localhost:9999' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: `http://${HERE}` },
  ] as Record<string, string>[]) {
    expect(await ask('POST', '/jars/upload', { host: HERE, ...headers })).toBe(403)
    expect(await ask('GET', '/jobs/1/yarn-cancel', { host: HERE, ...headers })).toBe(403)
    expect(await ask('GET', '/jobs/1/yarn-cancel?x=1', { host: HERE, ...headers })).toBe(403)
  }
})

it('refuses names that lead to loopback, where only loopback is served', async () => {
  const rebound = {
    host: 'evil.example:8081',
    origin: 'http://evil.example:8081',
    'sec-fetch-site': 'same-origin',
  }
  expect(await serve(true)('POST', '/jars/upload', rebound)).toBe(403)
  await app.close()
  expect(await serve(false)('POST', '/jars/upload', rebound)).toBe(200)
})
