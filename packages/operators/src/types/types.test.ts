import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { schemaOperator } from '../builtin/schema-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { pathText, type StandardSchema } from './standard-schema.ts'
import { type TypeInformation, type TypeOf, Types } from './types.ts'

const sale = Types.OBJECT({
  shop: Types.STRING,
  cents: Types.LONG,
  note: Types.OPTIONAL(Types.STRING),
  lines: Types.LIST(Types.TUPLE(Types.STRING, Types.INT)),
})
type Sale = { shop: string; cents: number; note?: string | undefined; lines: [string, number][] }

test('types are inferred from the declaration', () => {
  expectTypeOf<TypeOf<typeof sale>>().toEqualTypeOf<Sale>()
  expectTypeOf(Types.ENUM('open', 'closed')).toEqualTypeOf<TypeInformation<'open' | 'closed'>>()
  expectTypeOf(Types.MAP(Types.STRING, Types.NULLABLE(Types.INSTANT))).toEqualTypeOf<
    TypeInformation<Map<string, Date | null>>
  >()
  expectTypeOf(Types.EITHER(Types.INT, Types.STRING)).toEqualTypeOf<TypeInformation<number | string>>()
})

/** By type: values of it, and everything else that is tried. */
const VALUES: readonly [string, TypeInformation<unknown>, readonly unknown[]][] = [
  ['STRING', Types.STRING, ['', 'x']],
  ['BOOLEAN', Types.BOOLEAN, [true, false]],
  ['BYTE', Types.BYTE, [-128, 127, 0]],
  ['SHORT', Types.SHORT, [-32768, 32767, -128, 127, 128, 0]],
  ['INT', Types.INT, [-(2 ** 31), 2 ** 31 - 1, -32768, 32767, 32768, -128, 127, 128, 0]],
  [
    'LONG',
    Types.LONG,
    [2 ** 53 - 1, 2 ** 31, -(2 ** 31), 2 ** 31 - 1, -32768, 32767, 32768, -128, 127, 128, 0],
  ],
  ['BIG_INT', Types.BIG_INT, [5n]],
  ['INSTANT', Types.INSTANT, [new Date(0)]],
  ['BYTES', Types.BYTES, [new Uint8Array(1)]],
  ['VOID', Types.VOID, [null]],
  ['ENUM', Types.ENUM('x', 127), ['x', 127]],
  ['LIST', Types.LIST(Types.STRING), [[], ['a']]],
  ['TUPLE', Types.TUPLE(Types.STRING, Types.INT), [['a', 1]]],
  ['MAP', Types.MAP(Types.STRING, Types.INT), [new Map([['a', 1]]), new Map()]],
  ['OPTIONAL', Types.OPTIONAL(Types.BOOLEAN), [true, false, undefined]],
  ['NULLABLE', Types.NULLABLE(Types.BOOLEAN), [true, false, null]],
  ['EITHER', Types.EITHER(Types.BOOLEAN, Types.VOID), [true, false, null]],
  ['OBJECT', Types.OBJECT({ a: Types.INT }), [{ a: 1 }, { a: 1, b: 2 }]],
]
const EVERYTHING = [
  ...new Set(VALUES.flatMap(([, , values]) => values)),
  ...[
    1.5,
    Number.NaN,
    new Date(Number.NaN),
    ['a', 1, 2],
    ['a', 'b'],
    { a: 'x' },
    new Map([['a', 'b']]),
    Symbol('s'),
  ],
]
const shows = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))

test.each(VALUES)('%s takes its values and nothing else', (name, type, values) => {
  const same = (a: unknown, b: unknown): boolean =>
    a === b ||
    (typeof a === 'object' && a !== null && shows(a) === shows(b) && a?.constructor === b?.constructor)
  const also: Readonly<Record<string, (value: unknown) => boolean>> = {
    // What their values have in common with those of others.
    LIST: value => Array.isArray(value) && value.every(element => typeof element === 'string'),
    OBJECT: value => (value as { a?: unknown })?.a === 1,
    MAP: value => value instanceof Map && [...value.values()].every(Number.isInteger),
  }
  for (const value of EVERYTHING) {
    const fits = also[name]?.(value) ?? values.some(own => same(own, value))
    expect(type.issue(value) === undefined, `${name} of ${shows(value)}`).toBe(fits)
  }
})

test('the first wrong field is named with its way there, in any valid record with one thing changed', () => {
  const valid = fc.record({
    shop: fc.string(),
    cents: fc.maxSafeInteger(),
    lines: fc.array(fc.tuple(fc.string(), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })), {
      minLength: 1,
    }),
  })
  fc.assert(
    fc.property(valid, fc.nat(), fc.constantFrom('shop', 'cents', 'lines', 'line'), (record, at, which) => {
      expect(sale.issue(record)).toBeUndefined()
      const index = at % record.lines.length
      const broken = structuredClone(record) as Record<string, unknown>
      if (which === 'line') (broken['lines'] as unknown[][])[index] = ['a', 1.5]
      else broken[which] = Symbol('wrong')
      const path = which === 'line' ? `lines[${index}][1]` : which
      expect(pathText(sale.issue(broken)?.path)).toBe(path)
    }),
    { numRuns: 50 },
  )
})

describe('returns', () => {
  const from = { operator: () => 'parse', place: 'job.ts:7:3' }
  const harness = (schema: StandardSchema): OperatorHarness =>
    new OperatorHarness(schemaOperator(schema, from))

  test('hands on records with their time, and refuses the first that does not fit, with operator, field, value and line', () => {
    const { push, emitted } = bound(harness(sale))
    const record = { shop: 'north', cents: 5, lines: [] }
    push(record, 7)
    expect(emitted).toEqual([{ value: record, timestamp: 7 }])
    expect(() => push({ shop: 'north', cents: '5', lines: [] })).toThrow(
      "Operator 'parse' (subtask 0) gave a record that its schema (returns at job.ts:7:3) refuses: cents is '5': expected a " +
        "whole number, got '5'. The record: { shop: 'north', cents: '5', lines: [] }.",
    )
  })

  test('takes schemas of others: what they make of a record goes on', () => {
    const other: StandardSchema<unknown, { n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'other',
        validate: value =>
          Number.isNaN(Number(value))
            ? { issues: [{ message: 'not a number', path: [{ key: 'n' }] }, { message: 'and more' }] }
            : { value: { n: Number(value) } },
      },
    }
    const { push, emitted } = bound(harness(other as StandardSchema))
    push('5')
    expect(emitted.map(({ value }) => value)).toEqual([{ n: 5 }])
    expect(() => push('x')).toThrow(/n is undefined: not a number \(and 1 more\)/)
  })

  test('refuses promises, and names the record at which a schema throws', () => {
    const late: StandardSchema = {
      '~standard': { version: 1, vendor: 'late', validate: async value => ({ value }) },
    }
    expect(() => harness(late).push(1)).toThrow(/The schema of operator 'parse' returns a promise/)
    const broken: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'broken',
        validate: () => {
          throw new Error('no rules')
        },
      },
    }
    expect(() => harness(broken).push(1)).toThrow(/no rules .thrown by the schema of operator/)
  })
})

function bound(harness: OperatorHarness): Pick<OperatorHarness, 'push' | 'emitted'> {
  return { push: (value, timestamp) => harness.push(value, timestamp), emitted: harness.emitted }
}
