import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openRecord, sealRecord } from './sealed-record.ts'

/** As version 1 wrote it: must be read for ever. */
const SAMPLE = new URL('../../testdata/record-1', import.meta.url)
const VALUE = {
  status: 'running',
  progress: {
    checkpoints: [
      {
        id: 7,
        pointer: 'file:///checkpoints/job/chk-7',
        origins: [['vertex/0', 7]],
        stateBytes: 12,
        durationMs: 3.5,
        external: false,
      },
    ],
    referred: [5],
    discarded: [{ checkpointId: 6 }],
    claimed: undefined,
    latestSavepointId: undefined,
    abandoned: [[3, 5]],
    idsFrom: 5,
    idsBelow: 27,
  },
}

test('a record of version 1 is read, and written as it was', () => {
  const sample = readFileSync(SAMPLE)
  expect(openRecord(sample, 'sample')).toEqual(VALUE)
  expect(sealRecord(VALUE, 'sample').equals(sample)).toBe(true)
})

test('what is cut, changed, foreign or of another version is refused with its place', () => {
  const whole = sealRecord(VALUE, 'x')
  const changed = (at: number): Buffer => {
    const copy = Buffer.from(whole)
    copy[at]! ^= 1
    return copy
  }
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(0), /its 0 bytes are not of this format/],
    [whole.subarray(0, whole.length - 1), /digest/],
    [changed(0), /not of this format/],
    [changed(4), /its version is 0, known is 1/],
    [changed(20), /digest/],
    [changed(whole.length - 1), /digest/],
  ]
  for (const [content, reason] of cases) {
    expect(() => openRecord(content, 'file:///ha/record')).toThrowError(reason)
    expect(() => openRecord(content, 'file:///ha/record')).toThrowError(/file:\/\/\/ha\/record/)
  }
})
