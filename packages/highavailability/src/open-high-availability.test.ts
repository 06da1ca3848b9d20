import { Configuration } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { portsOf } from './highavailability-options.ts'
import { openHighAvailability } from './open-high-availability.ts'

const open = (values: Readonly<Record<string, string>>) =>
  openHighAvailability(Configuration.of(values, 'test'))

test('no type, or none in any spelling, is no high availability', () => {
  for (const type of ['NONE', 'none', ' None '])
    expect(open({ 'high-availability.type': type })).toBeUndefined()
  expect(open({})).toBeUndefined()
  expect(open({ 'high-availability': 'NONE' })).toBeUndefined()
})

test('the folder of the leader is below storage and cluster id', () => {
  const values = { 'high-availability.type': 'filesystem', 'high-availability.storageDir': '/ha' }
  expect(open(values)?.leader.where).toBe('file:///ha/default/leader')
  expect(open({ ...values, 'high-availability.cluster-id': '/blue' })?.leader.where).toBe(
    'file:///ha/blue/leader',
  )
})

test.each([
  [
    { 'high-availability.type': 'zookeeper' },
    /'zookeeper' is not supported by this version: give one of NONE, filesystem/,
  ],
  [{ 'high-availability.type': 'filesystem' }, /high-availability\.storageDir is not set/],
  [
    {
      'high-availability.type': 'filesystem',
      'high-availability.storageDir': '/ha',
      'high-availability.filesystem.leader-election.lease-duration': '3 s',
    },
    /renew-deadline, which must be less than lease-duration; they are 500, 7000 and 3000 ms/,
  ],
  [
    {
      'high-availability.type': 'filesystem',
      'high-availability.storageDir': '/ha',
      'high-availability.cluster-id': '../other',
    },
    /'\.\.\/other' is no valid value of high-availability\.cluster-id/,
  ],
])('%o is refused with what to change', (values, message) => {
  expect(() => open(values)).toThrowError(message)
})

test('ports are numbers, ranges, and lists of them', () => {
  expect(portsOf('0')).toEqual([0])
  expect(portsOf('50000-50002, 6123')).toEqual([50_000, 50_001, 50_002, 6123])
  for (const text of ['', 'x', '5-4', '70000', '1-', '1,,2']) expect(portsOf(text)).toBeUndefined()
})
