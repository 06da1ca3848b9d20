import { type Logger, ManualClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { Pulse } from '../mailbox/pulse.ts'
import { LongCallWatch } from './long-call-watch.ts'
import type { SlotThread } from './slot-thread.ts'

const MODULE = 'file:///job/bundle.mjs'
const frame = (functionName: string, url: string, lineNumber = 0) => ({
  ...{ functionName, url, lineNumber },
  columnNumber: 0,
})

/** root > engine > processElement > crunch, and what else is asked for. */
const profileOf = (samples: readonly number[]): string =>
  JSON.stringify({
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 5] },
      { id: 2, callFrame: frame('step', 'file:///flink/task.js'), children: [3] },
      { id: 3, callFrame: frame('processElement', MODULE, 41), children: [4] },
      { id: 4, callFrame: frame('crunch', MODULE, 16) },
      { id: 5, callFrame: frame('(idle)', '') },
    ],
    samples,
  })

function setup(profile: () => string | undefined) {
  const clock = new ManualClock(0)
  const pulse = new Pulse(Pulse.allocate())
  const warnings: Record<string, unknown>[] = []
  const logger = { warn: (fields: Record<string, unknown>) => warnings.push(fields), debug() {} }
  let profiles = 0
  const thread: Partial<SlotThread> = {
    profile: async () => {
      profiles++
      return profile()
    },
  }
  const watch = new LongCallWatch(
    { moduleUrl: MODULE },
    { thread: thread as SlotThread, pulse, clock, logger: logger as unknown as Logger },
  )
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 250) {
      clock.advance(250)
      await Promise.resolve()
      await Promise.resolve()
    }
  }
  return { pulse, warnings, watch, pass, profiles: () => profiles }
}

test('a call that holds up the thread is named once, with where its time goes', async () => {
  const { pulse, warnings, pass, profiles } = setup(() => profileOf([4, 4, 3, 4]))
  pulse.beat()
  await pass(1000)
  expect(warnings).toEqual([])
  await pass(500)
  expect(warnings).toEqual([
    { call: 'processElement (bundle.mjs:42)', at: 'crunch (bundle.mjs:17)', forMs: 1000 },
  ])
  await pass(10_000)
  expect(profiles()).toBe(1)
  // The next one is looked into, and not told again so soon; after a minute it is.
  pulse.beat()
  await pass(2000)
  expect(profiles()).toBe(2)
  expect(warnings).toHaveLength(1)
  await pass(60_000)
  pulse.beat()
  await pass(2000)
  expect(warnings).toHaveLength(2)
})

test('a thread that goes on, rests, or is in nothing of the user is not warned of', async () => {
  const { pulse, warnings, pass, profiles } = setup(() => profileOf([4, 4, 4]))
  for (let i = 0; i < 20; i++) {
    pulse.beat()
    await pass(500)
  }
  pulse.rest()
  await pass(10_000)
  expect(profiles()).toBe(0)
  const engine = setup(() => profileOf([2, 2, 5, 4]))
  engine.pulse.beat()
  await engine.pass(3000)
  expect([engine.profiles(), engine.warnings.length]).toEqual([1, 0])
  const gone = setup(() => undefined)
  gone.pulse.beat()
  await gone.pass(3000)
  expect([gone.profiles(), gone.warnings.length]).toEqual([1, 0])
  expect(warnings).toEqual([])
})

test('a call that ended while it was looked into is not told', async () => {
  const { pulse, warnings, pass } = setup(() => {
    pulse.beat()
    return profileOf([4])
  })
  pulse.beat()
  await pass(1500)
  expect(warnings).toEqual([])
})

test('after stop nothing is looked into', async () => {
  const { pulse, watch, pass, profiles } = setup(() => profileOf([4]))
  watch.stop()
  pulse.beat()
  await pass(5000)
  expect(profiles()).toBe(0)
})
