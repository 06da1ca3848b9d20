import fc from 'fast-check'
import { expect, it } from 'vitest'
import { skewOf } from './skew.ts'

it('is nothing where there is nothing to compare', () => {
  expect(skewOf([])).toBe(undefined)
  expect(skewOf([5])).toBe(undefined)
  expect(skewOf([0, 0])).toBe(undefined)
})

it('is 0 for equal parts and 1 for one that has everything', () => {
  expect(skewOf([3, 3, 3])).toMatchObject({ average: 3, most: 3, least: 3, unevenness: 0 })
  expect(skewOf([0, 0, 9, 0])).toMatchObject({ mostAt: 2, most: 9, least: 0, unevenness: 1 })
})

it('is between 0 and 1, the same in any unit and order', () => {
  const amounts = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 50 })
  fc.assert(
    fc.property(amounts, fc.integer({ min: 1, max: 1000 }), (values, unit) => {
      const skew = skewOf(values)
      if (skew === undefined) return
      expect(skew.unevenness).toBeGreaterThanOrEqual(0)
      expect(skew.unevenness).toBeLessThanOrEqual(1 + 1e-9)
      const other = skewOf(values.toReversed().map(value => value * unit))
      expect(other?.unevenness).toBeCloseTo(skew.unevenness, 9)
    }),
  )
})
