import { nullLogger, SystemClock } from '@flink-ts/common'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasServer, TestServer } from '../../../../tools/servers/test-server.ts'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { smallCluster } from '../testing/small-cluster.ts'
import { InfluxReporter } from './influx-reporter.ts'

describe.skipIf(!hasServer('influxdb.sh'))('InfluxDB 1.x', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await TestServer.start('influxdb.sh', 'flink')
  }, 120_000)
  afterAll(() => server?.stop())

  it('has what the reporter wrote', async () => {
    const reporter = new InfluxReporter(
      {
        ...{ baseUrl: server.address, host: 'jm', intervalMs: 10_000, timeoutMs: 10_000 },
        target: {
          version: 1,
          ...{ database: 'flink', username: '', password: '' },
          ...{ retentionPolicy: 'autogen', consistency: 'ALL' },
        },
      },
      {
        ...{ dispatcher: smallCluster(), monitor: fakeMonitor() },
        ...{ clock: new SystemClock(), logger: nullLogger },
      },
    )
    await reporter.report()
    await reporter.close()
    const query =
      'SELECT job_name, value FROM jobmanager_job_numRestarts; SELECT p99, mean FROM taskmanager_job_task_operator_size'
    const response = await fetch(`${server.address}/query?db=flink&q=${encodeURIComponent(query)}`)
    const { results } = (await response.json()) as {
      results: { series: { values: unknown[][] }[] }[]
    }
    const values = results.map(({ series }) => series[0]?.values[0]?.slice(1))
    expect(values).toEqual([
      ['flights, by day = all', 2],
      [9, 3],
    ])
  })
})
