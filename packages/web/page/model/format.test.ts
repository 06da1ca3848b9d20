import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, count, duration, leastWatermark, percent, short, watermark } from './format.ts'

describe('values as they are written', () => {
  it.each([
    [duration(-1), '–'],
    [duration(480.4), '480 ms'],
    [duration(9949), '9.9 s'],
    [duration(59_400), '59 s'],
    [duration(3_840_000), '1h 4m'],
    [duration(3_600_000), '1h'],
    [duration(90_061_000), '1d 1h'],
    [bytes(undefined), '–'],
    [bytes(0), '0 B'],
    [bytes(1536), '1.5 KB'],
    [bytes(1_048_575), '1 MB'],
    [bytes(12 * 2 ** 30), '12 GB'],
    [count(1_234_567), '1,234,567'],
    [short(0), '0'],
    [short(0.25), '0.3'],
    [short(999.6), '1k'],
    [short(12_340), '12.3k'],
    [short(4_500_000), '4.5M'],
    [percent(0.996), '100 %'],
    [watermark('-9223372036854775808'), 'none yet'],
    [watermark('9223372036854775807'), 'end of input'],
    [watermark('0'), '1970-01-01 00:00:00Z'],
    [watermark('-5'), '-5'],
  ])('%s', (written, expected) => expect(written).toBe(expected))

  it('are short, whatever the number', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), value => {
        expect(short(value).length).toBeLessThanOrEqual(5)
        expect(bytes(value).length).toBeLessThanOrEqual(8)
        expect(duration(value)).toMatch(/^\d+(\.\d)? m?s$|^\d+[dhms]( \d+[hms])?$/)
      }),
    )
  })
})

it('the least watermark is found beyond the precision of numbers', () => {
  expect(leastWatermark(['9223372036854775807', '9223372036854775806'])).toBe('9223372036854775806')
  expect(leastWatermark([undefined, 'x'])).toBe(undefined)
})
