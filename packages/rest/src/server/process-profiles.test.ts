import { Configuration, ManualClock, SeededRandom } from '@flink-ts/common'
import type { ProcessMonitor, StackNode } from '@flink-ts/gateways'
import { expect, it } from 'vitest'
import { profilePage } from '../routes/profile-page.ts'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { ProcessProfiles } from './process-profiles.ts'

const ROOT: StackNode = {
  ...{ name: 'root', value: 10 },
  children: [{ name: '<main>', value: 10, children: [{ name: '<script>"&', value: 4, children: [] }] }],
}

/** A process whose profiles end when the test says. */
function slowProcess() {
  const requests: object[] = []
  let ended = Promise.withResolvers<StackNode>()
  const monitor: ProcessMonitor = {
    ...fakeMonitor(),
    requestProfile: request => {
      requests.push(request)
      return ended.promise
    },
  }
  const end = async (outcome: StackNode | Error): Promise<void> => {
    if (outcome instanceof Error) ended.reject(outcome)
    else ended.resolve(outcome)
    await ended.promise.catch(() => {})
    await Promise.resolve()
    ended = Promise.withResolvers()
  }
  return { monitor, requests, end }
}

function profilesWith(configured: Readonly<Record<string, string>> = {}) {
  const clock = new ManualClock()
  const configuration = Configuration.of(configured)
  return { clock, profiles: new ProcessProfiles({ configuration, clock, random: new SeededRandom(1) }) }
}

it('profiles a process for the time that is asked for, one at a time', async () => {
  const { clock, profiles } = profilesWith()
  const { monitor, requests, end } = slowProcess()
  const start = (mode: string) => profiles.start('tm', monitor, { mode, duration: 5 })
  const triggerTime = clock.now()
  expect(start('CPU')).toEqual({
    ...{ status: 'RUNNING', mode: 'CPU', triggerTime, finishedTime: -1, duration: 5 },
    ...{ message: 'Runs for 5 s', outputFile: '' },
  })
  expect(() => start('WALL')).toThrow(/TaskManager tm is being profiled/)
  expect(profiles.start('', slowProcess().monitor, { mode: 'ITIMER', duration: 1 })).toMatchObject({
    mode: 'ITIMER',
  })
  clock.advance(5000)
  await end(ROOT)
  const [done] = profiles.list('tm') as { outputFile: string }[]
  expect(done).toMatchObject({ status: 'FINISHED', finishedTime: triggerTime + 5000 })
  expect(profiles.read('tm', done?.outputFile ?? '')).toBe(ROOT)
  expect(() => profiles.read('', done?.outputFile ?? '')).toThrow(/no profile/)
  start('WALL')
  await end(new Error('its connection broke'))
  expect(profiles.list('tm')).toMatchObject([
    { mode: 'WALL', status: 'FAILED', message: 'its connection broke', outputFile: '' },
    { mode: 'CPU', status: 'FINISHED' },
  ])
  expect(requests).toEqual([
    { durationMs: 5000, idle: false },
    { durationMs: 5000, idle: true },
  ])
})

it('says what it does not take, and forgets the oldest', async () => {
  const limits = { 'rest.profiling.duration-max': '10 s', 'rest.profiling.history-size': '2' }
  const { profiles } = profilesWith(limits)
  const { monitor, end } = slowProcess()
  for (const [body, reason] of [
    [{}, /mode/],
    [{ mode: 'LOCK', duration: 1 }, /CPU, ITIMER, WALL/],
    [{ mode: 'CPU', duration: 11 }, /1 to 10/],
    [{ mode: 'CPU', duration: '1' }, /whole seconds/],
  ] as const)
    expect(() => profiles.start('', monitor, body)).toThrow(reason)
  for (let i = 1; i <= 3; i++) {
    profiles.start('', monitor, { mode: 'CPU', duration: i })
    await end(ROOT)
  }
  expect(profiles.list('')).toMatchObject([{ duration: 3 }, { duration: 2 }])
  const off = profilesWith({ 'rest.profiling.enabled': 'false' }).profiles
  expect(() => off.list('')).toThrow(/rest\.profiling\.enabled/)
})

it('draws a profile as a page without scripts, whatever functions are called', () => {
  const page = profilePage(ROOT)
  expect(page).not.toContain('<script>')
  expect(page).toContain('&#60;script&#62;&#34;&#38;: 40.0 %')
  expect(page).toContain('<div style="width:40.000%">')
})
