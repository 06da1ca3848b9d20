import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeCsvRow } from './encode-csv-row.ts'

/** A reader of RFC 4180, written from its grammar. */
function parseRow(row: string): string[] {
  const fields: string[] = []
  let at = 0
  for (;;) {
    let field = ''
    if (row[at] === '"') {
      for (at++; ; at++) {
        if (row[at] === undefined) throw new Error('open quote')
        if (row[at] !== '"') field += row[at]
        else if (row[at + 1] === '"') field += row[at++]
        else break
      }
      at++
    } else {
      while (at < row.length && row[at] !== ',') {
        if (row[at] === '"' || row[at] === '\n' || row[at] === '\r') throw new Error(`bare ${row[at]}`)
        field += row[at++]
      }
    }
    fields.push(field)
    if (at === row.length) return fields
    if (row[at++] !== ',') throw new Error('text behind a quote')
  }
}

describe('encodeCsvRow', () => {
  it('is read back by RFC 4180', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('"', ',', '\n', '\r', ' ', 'a') }),
    )
    fc.assert(
      fc.property(fc.array(text, { minLength: 1 }), values => {
        expect(parseRow(encodeCsvRow(values))).toEqual(values)
        expect(encodeCsvRow(values)).not.toBe('')
      }),
    )
  })

  it('writes numbers so that they are read back exactly', () => {
    fc.assert(
      fc.property(fc.double(), value => {
        expect(Number(encodeCsvRow([value, 1]).split(',')[0])).toBe(value)
      }),
    )
  })

  it('writes the other values', () => {
    const values = [true, 12n, new Date(0), null, undefined, '']
    expect(encodeCsvRow(values)).toBe('true,12,1970-01-01T00:00:00.000Z,,,""')
    expect(encodeCsvRow([null])).toBe('""')
    expect(encodeCsvRow([])).toBe('')
  })

  it.each([[{}], [[]], [() => 1], [Symbol('s')]])('refuses %s and says where', value => {
    expect(() => encodeCsvRow([1, value])).toThrow(/Value 2 .*format function/)
  })
})
