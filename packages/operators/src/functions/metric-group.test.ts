import { ManualClock } from '@flink-ts/common'
import { expect, it } from 'vitest'
import { mapOperator } from '../builtin/map-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import type { MetricGroup } from './metric-group.ts'
import { DescriptiveStatisticsHistogram, MeterView } from './metrics.ts'
import type { RuntimeContext } from './rich-function.ts'

async function harnessWith(register: (group: MetricGroup) => void) {
  const harness = new OperatorHarness(
    mapOperator({
      open: (context: RuntimeContext) => register(context.getMetricGroup()),
      map: (value: number) => value,
    }),
  )
  await harness.open()
  return (name: string) => harness.metrics.get(name)?.()
}

it('shows counters, gauges, meters and histograms below their groups', async () => {
  let depth = 0
  const read = await harnessWith(group => {
    group.counter('seen').inc(3)
    group.gauge('depth', () => depth)
    group.meter('rate').markEvent(5)
    const histogram = group
      .addGroup('topic', 'orders')
      .histogram('size', new DescriptiveStatisticsHistogram(3))
    for (const value of [100, 1, 2, 3]) histogram.update(value)
  })
  depth = 7
  expect(read('seen')).toBe(3)
  expect(read('depth')).toBe(7)
  expect(read('rate')).toBe(5)
  expect(read('topic.orders.size_count')).toBe(4)
  expect(read('topic.orders.size_min')).toBe(1)
  expect(read('topic.orders.size_max')).toBe(3)
  expect(read('topic.orders.size_median')).toBe(2)
  expect(read('topic.orders.size_stddev')).toBe(1)
})

it('refuses a second metric of the same name, in whatever group object', async () => {
  const twice = harnessWith(group => {
    group.addGroup('g').counter('c')
    group.addGroup('g').gauge('c', () => 1)
  })
  await expect(twice).rejects.toMatchObject({ code: 'operators.metric-exists', data: { name: 'g.c' } })
})

it('measures rates over the last minute', () => {
  const clock = new ManualClock(0)
  const meter = new MeterView({ processingTime: () => clock.now() })
  for (let second = 0; second < 60; second++) {
    meter.markEvent(10)
    clock.advance(1000)
  }
  expect(meter.getRate()).toBeGreaterThan(9)
  expect(meter.getRate()).toBeLessThanOrEqual(10)
  clock.advance(300_000)
  expect(meter.getRate()).toBe(0)
  expect(meter.getCount()).toBe(600)
})

it('has no statistics without values', () => {
  const { min, mean, stddev, quantile } = new DescriptiveStatisticsHistogram().getStatistics()
  expect([min, mean, stddev, quantile(0.5)]).toEqual([Number.NaN, Number.NaN, Number.NaN, Number.NaN])
})
