import { expect, test } from 'vitest'
import { flatMapOperator } from '../builtin/flat-map-operator.ts'
import { mapOperator } from '../builtin/map-operator.ts'
import { processOperator } from '../builtin/process-operator.ts'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import { OutputTag } from '../functions/collector.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { withRecordChecks } from './with-record-checks.ts'

interface Sale {
  shop: string
  cents: number
  lines?: { item: string }[]
  at?: Date
  tags?: Set<string>
  counts?: Map<string, number>
  bytes?: Uint8Array
}
const sale = (more: Partial<Sale> = {}): Sale => ({ shop: 'north', cents: 5, ...more })

/** Two operators, as a chain has them: what the first emits goes to the second. */
function chain(
  first: OperatorFactory,
  second: OperatorFactory,
): { push(value: unknown): void; results(): unknown[] } {
  const behind = new OperatorHarness(withRecordChecks(second, ['sink']))
  const before = new OperatorHarness(withRecordChecks(first, ['second']), {
    onEmit: ({ value }) => behind.push(value),
  })
  return {
    push: value => before.push(value),
    results: () => behind.values(),
  }
}
const pass = mapOperator((value: Sale) => value)

test.each<[string, (record: Sale) => unknown, string]>([
  ['assigns', record => Object.assign(record, { cents: 7 }), 'cents'],
  ['adds', record => Object.assign(record, { more: 7 }), 'more'],
  ['deletes', record => delete (record as Partial<Sale>).cents, 'cents'],
  ['pushes', record => record.lines?.push({ item: 'hat' }), '0'],
  ['fills', record => record.lines?.fill({ item: 'x' }), '0'],
])('a function that %s is told, with the field and the record', (_name, change, field) => {
  const lines = _name === 'fills' ? [{ item: 'hat' }] : []
  const { push } = chain(
    pass,
    mapOperator((record: Sale) => [change(record), record]),
  )
  expect(() => push(sale({ lines }))).toThrow(
    expect.objectContaining({
      code: 'operators.record-changed',
      data: expect.objectContaining({ operator: 'operator under test', function: 'the map function', field }),
    }),
  )
})

test.each<[string, (record: Sale) => unknown, string]>([
  ['a Date', record => record.at?.setFullYear(1999), 'at'],
  ['a Set', record => record.tags?.add('new'), 'tags'],
  ['a Map', record => record.counts?.set('a', 2), 'counts'],
  ['bytes', record => record.bytes?.set([9]), 'bytes'],
])('so is one that changes %s, which cannot be frozen', (_name, change, field) => {
  const { push } = chain(
    pass,
    mapOperator((record: Sale) => [change(record)]),
  )
  const record = sale({
    at: new Date(0),
    tags: new Set(['old']),
    counts: new Map([['a', 1]]),
    bytes: new Uint8Array(2),
  })
  expect(() => push(record)).toThrow(
    expect.objectContaining({
      code: 'operators.record-changed',
      data: expect.objectContaining({ operator: 'second', field }),
    }),
  )
})

test('so is one that changes what it emitted before, to any output', () => {
  const total = { cents: 0, at: new Date(0) }
  const late = new OutputTag<typeof total>('late')
  const { push } = chain(
    processOperator<Sale, typeof total>({
      processElement({ cents }, context, out) {
        total.cents += cents
        context.output(late, total)
        out(total)
      },
    }),
    mapOperator((value: unknown) => value),
  )
  push(sale())
  expect(() => push(sale())).toThrow(/processElement changes the field 'cents' of a record/)
  const day = { at: new Date(0) }
  const dates = chain(
    flatMapOperator<number, typeof day>(n => {
      day.at.setTime(n)
      return [day]
    }),
    mapOperator((value: unknown) => value),
  )
  dates.push(1)
  expect(() => dates.push(2)).toThrow(/'operator under test' or 'second'.*field 'at'/)
})

test('records that are left alone pass, all of them, whatever they hold', () => {
  const { push, results } = chain(
    pass,
    mapOperator((record: unknown) => record),
  )
  const circular: Record<string, unknown> = {
    map: new Map(),
    proxy: new Proxy({}, {}),
    re: /x/,
    buffer: new ArrayBuffer(4),
  }
  circular['self'] = circular
  const records: unknown[] = [
    null,
    undefined,
    5,
    'x',
    circular,
    new Float64Array(3),
    Object.create(null),
    [],
    () => 1,
  ]
  for (let i = 0; i < 200; i++) records.push(sale({ cents: i, at: new Date(i) }))
  for (const record of records) push(record)
  expect(results()).toEqual(records)
})

test('beyond the first records a sample is looked at', () => {
  const { push } = chain(
    pass,
    mapOperator((record: Sale) => (record.cents === -1 ? Object.assign(record, { cents: 0 }) : record)),
  )
  for (let i = 0; i < 1000; i++) push(sale({ cents: i }))
  expect(() => {
    for (let i = 0; i < 16; i++) push(sale({ cents: -1 }))
  }).toThrow(/'cents'/)
})

test('other errors stay as they are, and operators without consumers are not touched', () => {
  const { push } = chain(
    pass,
    mapOperator((record: Sale) => (record as never as { a: { b: number } }).a.b),
  )
  expect(() => push(sale())).toThrow(expect.objectContaining({ code: 'operators.user-function-failed' }))
  expect(withRecordChecks(pass, [])).toBe(pass)
})
