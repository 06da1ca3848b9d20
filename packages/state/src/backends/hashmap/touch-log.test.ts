import { describe, expect, test } from 'vitest'
import { generateHeapEntry } from './heap-entry.ts'
import { TouchLog } from './touch-log.ts'

const Entry = generateHeapEntry<unknown>()
const table = { state: { name: 'state' }, namespace: undefined }
const keys = (log: TouchLog, from: number, to: number): unknown[] | undefined =>
  log.between(from, to)?.flatMap(({ entries }) => entries.map(entry => entry.key))

describe('TouchLog', () => {
  test('gives what was touched since a snapshot and before another, and forgets what is older', () => {
    const log = new TouchLog()
    log.add(table, new Entry('before the first', 0, 0))
    for (const number of [2, 4, 6]) {
      log.begin(number)
      log.add(table, new Entry(`after ${number}`, 0, number))
    }
    expect(keys(log, 2, 8)).toEqual(['after 2', 'after 4', 'after 6'])
    expect(keys(log, 4, 6)).toEqual(['after 4'])
    log.forgetBefore(4)
    expect(keys(log, 2, 8)).toEqual(['after 4', 'after 6'])
    // Nothing is built upon any longer; what follows the snapshot that is being written may be.
    log.forgetBefore(Number.POSITIVE_INFINITY)
    expect(keys(log, 6, 8)).toEqual(['after 6'])
  })

  test('with too many, says that it does not know until the snapshot after', () => {
    const log = new TouchLog()
    log.begin(2)
    const entry = new Entry('k', 0, 2)
    for (let i = 0; i < 2 ** 20 + 1; i++) log.add(table, entry)
    log.add(table, entry)
    expect(log.between(2, 4)).toBeUndefined()
    log.begin(4)
    log.add(table, new Entry('later', 0, 4))
    expect(log.between(2, 6)).toBeUndefined()
    expect(keys(log, 4, 6)).toEqual(['later'])
  })
})
