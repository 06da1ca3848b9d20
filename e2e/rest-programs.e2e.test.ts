import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const folder = mkdtempSync(join(tmpdir(), 'flink-e2e-programs-'))
const uploads = join(folder, 'uploads')
const bundle = join(folder, 'counts.tgz')

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    retainedCheckpoints: true,
    configuration: { 'web.upload.dir': uploads },
  })
  const { code, stderr } = await cluster.flink(
    ...['bundle', join(REPOSITORY, 'e2e/jobs/counts.ts'), '-o', bundle],
  ).finished
  expect(code, stderr).toBe(0)
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
  rmSync(folder, { recursive: true })
})

// A test that fails leaves its uploads to no other one.
afterEach(() => rmSync(uploads, { recursive: true, force: true }))

interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by their fields.
  readonly body: Record<string, any>
}

const uploadsLeft = (): readonly string[] => (existsSync(uploads) ? readdirSync(uploads) : [])

async function call(method: string, path: string, body?: FormData | object): Promise<Answer> {
  const json = body !== undefined && !(body instanceof FormData)
  const response = await fetch(`http://127.0.0.1:${cluster.restPort}${path}`, {
    method,
    ...(body !== undefined && { body: json ? JSON.stringify(body) : (body as FormData) }),
    ...(json && { headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: (await response.json()) as Answer['body'] }
}

function upload(content: Uint8Array, name: string): Promise<Answer> {
  const form = new FormData()
  form.append('jarfile', new Blob([content]), name)
  return call('POST', '/v1/jars/upload', form)
}

test('a bundle is uploaded, listed, planned, run and deleted', async () => {
  const uploaded = await upload(readFileSync(bundle), 'counts.tgz')
  expect(uploaded).toMatchObject({ status: 200, body: { status: 'success' } })
  const id = uploaded.body['filename'] as string
  expect((await call('GET', '/jars')).body['files']).toMatchObject([
    { id, name: 'counts.tgz', entry: [{ name: expect.any(String) }] },
  ])
  expect((await call('GET', '/config')).body).toMatchObject({ features: { 'web-submit': true } })

  const output = join(folder, 'out')
  const words = encodeURIComponent(`--records 100 --output "${output}"`)
  const plan = await call('GET', `/jars/${id}/plan?parallelism=2&program-args=${words}`)
  expect(plan.status, JSON.stringify(plan.body)).toBe(200)
  expect(plan.body['plan'].nodes[0]).toMatchObject({ parallelism: 2 })
  expect(await cluster.rest('/jobs')).toEqual({ jobs: [] })

  const run = await call('POST', `/jars/${id}/run`, {
    programArgsList: ['--records', '1000', '--output', output],
    parallelism: 1,
  })
  expect(run.status, JSON.stringify(run.body)).toBe(200)
  await cluster.untilJob(run.body['jobid'] as string, 'FINISHED')
  const { vertices } = (await cluster.job(run.body['jobid'] as string)) ?? { vertices: [] }
  expect(vertices[0]?.metrics['write-records']).toBe(1000)

  for (const [body, text] of [
    [{ programArgs: '--unknown' }, /unknown/],
    [{ parallelism: 0 }, /parallelism/],
    [{ entryClass: 'org.example.Main' }, /only one/],
    [{ savepointPath: join(folder, 'nowhere'), programArgsList: ['--output', output] }, undefined],
  ] as const) {
    const answer = await call('POST', `/jars/${id}/run`, body)
    if (text === undefined) await cluster.untilJob(answer.body['jobid'] as string, 'FAILED')
    else expect(answer).toMatchObject({ status: 400, body: { errors: [expect.stringMatching(text)] } })
  }
  expect(await call('DELETE', `/jars/${id}`)).toEqual({ status: 200, body: {} })
  expect(await call('POST', `/jars/${id}/run`, {})).toMatchObject({ status: 400 })
  expect(uploadsLeft()).toEqual([])
})

// CVE-2020-17518: the name in an upload led out of the folder of uploads.
test.each(['../../escaped.tgz', '/tmp/escaped.tgz', '..\\escaped.tgz', 'a/../../escaped.tgz'])(
  'an upload named %s is kept where uploads are, or refused',
  async name => {
    const others = (): readonly string[] => readdirSync(folder).filter(file => file !== 'uploads')
    const before = others()
    const content = readFileSync(bundle)
    const boundary = 'boundary'
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="jarfile"; filename="${name}"\r\n\r\n`
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request(
        `http://127.0.0.1:${cluster.restPort}/jars/upload`,
        { method: 'POST', headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } },
        response => {
          response.resume()
          resolve(response.statusCode ?? 0)
        },
      )
      sent.on('error', reject)
      sent.end(Buffer.concat([Buffer.from(head), content, Buffer.from(`\r\n--${boundary}--\r\n`)]))
    })
    expect([200, 400]).toContain(status)
    expect(others()).toEqual(before)
    expect(existsSync('/tmp/escaped.tgz')).toBe(false)
    for (const { id } of (await call('GET', '/jars')).body['files']) {
      expect(id).toMatch(/^[0-9a-f]{32}_escaped\.tgz$/)
      await call('DELETE', `/jars/${id}`)
    }
    expect(uploadsLeft()).toEqual([])
  },
)

test('what is no bundle is refused, and nothing of it stays', async () => {
  expect(await upload(Buffer.from('PK'), 'job.jar')).toMatchObject({
    status: 400,
    body: { errors: [expect.stringContaining('flink bundle')] },
  })
  expect((await upload(Buffer.from('no archive'), 'job.tgz')).status).toBe(400)
  expect((await call('POST', '/jars/upload', {})).status).toBe(400)
  expect((await call('DELETE', '/jars/..%2f..%2fcounts.tgz')).status).toBe(400)
  // A client that goes away in the middle.
  await new Promise<void>(resolve => {
    const sent = request(`http://127.0.0.1:${cluster.restPort}/jars/upload`, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
    })
    sent.on('error', () => resolve())
    sent.write('--b\r\nContent-Disposition: form-data; name="jarfile"; filename="half.tgz"\r\n\r\n')
    createReadStream(bundle, { end: 1000 })
      .on('data', part => sent.write(part))
      .on('end', () => sent.destroy())
  })
  await cluster.until('nothing is left', 20_000, async () => uploadsLeft().length === 0)
})
