import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Configuration, type Logger, ManualClock, nullLogger } from '@flink-ts/common'
import { expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { smallCluster } from '../testing/small-cluster.ts'
import { InfluxReporter, influxReporterOptionsOf } from './influx-reporter.ts'

const OPTIONS = {
  ...{ database: 'flink', username: 'user', password: 'secret', retentionPolicy: '', consistency: 'ONE' },
  ...{ intervalMs: 10_000, timeoutMs: 5000, host: 'jm' },
}

function loggerInto(warnings: string[]): Logger {
  const logger = { ...nullLogger, warn: ({ error }: { error: Error }) => warnings.push(error.message) }
  return { ...logger, child: () => logger } as unknown as Logger
}

it('writes points with tags, and says once that the database does not take them', async () => {
  const requests: {
    readonly url: string
    readonly authorization: string | undefined
    readonly body: string
  }[] = []
  let status = 204
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { url = '', headers } = request
      requests.push({ url, authorization: headers.authorization, body: Buffer.concat(parts).toString() })
      response.writeHead(status).end(status === 204 ? '' : '{"error":"database not found: \\"flink\\""}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const warnings: string[] = []
  const reporter = new InfluxReporter(
    { ...OPTIONS, baseUrl },
    {
      dispatcher: smallCluster(),
      monitor: fakeMonitor(),
      clock: new ManualClock(),
      logger: loggerInto(warnings),
    },
  )
  try {
    await reporter.report()
    expect(requests).toHaveLength(1)
    const [{ url, authorization, body } = { url: '', authorization: '', body: '' }] = requests
    expect(url).toBe('/write?db=flink&precision=ms&consistency=one')
    expect(authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`)
    const lines = body.trimEnd().split('\n')
    const tags = 'job_name=flights\\,\\ by\\ day\\ \\=\\ all'
    expect(lines.find(line => line.startsWith('jobmanager_job_numRestarts,'))).toContain(`${tags} value=2 `)
    expect(lines.find(line => line.startsWith('taskmanager_job_task_numRecordsIn,'))).toContain(
      'host=host\\ 1,tm_id=tm-1',
    )
    expect(lines.find(line => line.startsWith('taskmanager_job_task_operator_size,'))).toContain(
      ' p99=9,mean=3 ',
    )
    status = 404
    await reporter.report()
    await reporter.report()
    expect(warnings).toEqual([expect.stringContaining('database not found')])
  } finally {
    await reporter.close()
    server.close()
  }
})

it('is configured by the keys of Flink', () => {
  const keys = {
    'metrics.reporter.influxdb.class': 'org.apache.flink.metrics.influxdb.InfluxdbReporter',
    'metrics.reporter.influxdb.host': 'node1',
  }
  expect(influxReporterOptionsOf(Configuration.of({}), 'jm')).toBeUndefined()
  expect(() => influxReporterOptionsOf(Configuration.of(keys), 'jm')).toThrow(
    /metrics\.reporter\.influxdb\.db/,
  )
  const configured = Configuration.of({ ...keys, 'metrics.reporter.influxdb.db': 'flink' })
  expect(influxReporterOptionsOf(configured, 'jm')).toMatchObject({
    ...{ baseUrl: 'http://node1:8086', database: 'flink', intervalMs: 10_000, host: 'jm' },
  })
})
