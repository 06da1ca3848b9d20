import { ManualClock, nullLogger } from '@flink-ts/common'
import { expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { smallCluster } from '../testing/small-cluster.ts'
import { collectClusterMetrics } from './cluster-metrics.ts'

it('leaves the thread to others between few of 20,000 series, even of a single vertex', async () => {
  let now = 0
  const turns: number[] = []
  let over = false
  const turn = (): void => {
    turns.push(now)
    now = 0
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  let series = 0
  await collectClusterMetrics(
    'jm',
    {
      dispatcher: smallCluster(2000),
      monitor: fakeMonitor(),
      clock: new ManualClock(),
      logger: nullLogger,
    },
    () => {
      series++
      now++
    },
  )
  over = true
  expect(series).toBeGreaterThan(20_000)
  expect(Math.max(...turns, now)).toBeLessThan(600)
})
