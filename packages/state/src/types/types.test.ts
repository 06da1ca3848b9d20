import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StateType } from '../api/state-type.ts'
import { findConflict } from './check-type.ts'
import { fitValue } from './fit-value.ts'
import { describeType, typeOf } from './infer-type.ts'
import { mergeTypes } from './merge-types.ts'

const plain = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withNullPrototype: true,
  maxDepth: 4,
})

describe('types', { timeout: 30_000 }, () => {
  test('are told of values, in words too', () => {
    const value = {
      n: 1,
      tags: ['a', null],
      at: new Date(0),
      nested: new Map([['k', { x: 1n }]]),
      seen: new Set([1]),
      raw: new Uint8Array(1),
      none: [],
    }
    expect(describeType(typeOf(value))).toBe(
      '{ n: number; tags: (string | null)[]; at: Date; nested: Map<string, { x: bigint }>; seen: Set<number>; ' +
        'raw: bytes; none: nothing[] }',
    )
    const merged = mergeTypes(typeOf({ a: 1 }), typeOf({ a: 'x', b: true }))
    expect(describeType(merged)).toBe('{ a: number | string; b?: boolean }')
    expect(describeType(mergeTypes(merged, 'undefined'))).toBe(
      '{ a: number | string; b?: boolean } | undefined',
    )
  })

  test('a value fits the type told of it, alone or merged with those of others, and stays the same', () => {
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        const type = mergeTypes(typeOf(one), typeOf(other))
        for (const value of [one, other]) {
          expect(findConflict(typeOf(value), type)).toBeUndefined()
          const fitted = fitValue(value, type)
          if (!('value' in fitted)) throw new Error(JSON.stringify(fitted.conflict))
          expect(fitted.value).toEqual(value)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('merging goes in any order, and merging again changes nothing', () => {
    fc.assert(
      fc.property(plain, plain, (one, other) => {
        const merged = mergeTypes(typeOf(one), typeOf(other))
        expect(findConflict(mergeTypes(typeOf(other), typeOf(one)), merged)).toBeUndefined()
        expect(describeType(mergeTypes(merged, typeOf(one)))).toBe(describeType(merged))
      }),
      { numRuns: 200 },
    )
  })

  test('no conflict by types means that each value can be fitted', () => {
    fc.assert(
      fc.property(plain, plain, (value, other) => {
        const declared = typeOf(other)
        const conflict = findConflict(typeOf(value), declared)
        const fitted = fitValue(value, declared)
        if (conflict === undefined && 'conflict' in fitted) {
          // Numbers that are no whole ones are no bigints.
          expect(fitted.conflict.stored).toBe('number')
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('fitting', () => {
  const declared: StateType = {
    object: {
      count: 'bigint',
      name: 'string',
      last: ['date', 'undefined'],
      tags: { type: { array: 'string' }, default: [] },
      inner: { object: { x: 'number' } },
    },
  }

  test('drops fields, fills in defaults, widens numbers', () => {
    const stored = { count: 3, name: 'a', gone: true, inner: { x: 1, y: 2 } }
    expect(findConflict(typeOf(stored), declared)).toBeUndefined()
    expect(fitValue(stored, declared)).toEqual({ value: { count: 3n, name: 'a', tags: [], inner: { x: 1 } } })
    const own = [stored, stored].map(
      value => (fitValue(value, declared) as { value: { tags: string[] } }).value,
    )
    own[0]?.tags.push('only here')
    expect(own[1]?.tags).toEqual([])
  })

  test.each([
    [{ count: 1n, inner: { x: 1 } }, 'value.name', 'nothing', 'string'],
    [{ count: 'many', name: 'a', inner: { x: 1 } }, 'value.count', 'string', 'bigint'],
    [{ count: 1n, name: 'a', inner: { x: 'no' } }, 'value.inner.x', 'string', 'number'],
    [{ count: 1n, name: 'a', tags: [1], inner: { x: 1 } }, 'value.tags[]', 'number', 'string'],
    [{ count: 1n, name: 'a', last: 5, inner: { x: 1 } }, 'value.last', 'number', 'Date | undefined'],
    ['text', 'value', 'string', describeType(declared)],
  ])('misfit %# is refused with the field and both types', (stored, field, storedType, declaredType) => {
    const conflict = { field, stored: storedType, declared: declaredType }
    expect(findConflict(typeOf(stored), declared)).toEqual(conflict)
    const found = fitValue(stored, declared)
    expect(found).toMatchObject({ conflict: { field, declared: declaredType } })
  })
})
