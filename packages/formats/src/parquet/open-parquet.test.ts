import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fileSystemFor } from '@flink-ts/filesystem'
import { parquetScan } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openParquet, type ParquetOptions } from './open-parquet.ts'
import { createRowBuilder } from './row-builder.ts'

const FLIGHTS = new URL('../../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url)
  .href

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'parquet-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function open(uri: string, options?: ParquetOptions) {
  return openParquet(await fileSystemFor(uri).open(uri), uri, options)
}

describe('openParquet', { timeout: 30_000 }, () => {
  it('reads real row groups into records', async () => {
    const file = await open(FLIGHTS)
    expect(file.rowGroups).toEqual([...Array.from({ length: 10 }, () => 272_727), 272_730])
    expect(file.columns).toEqual(['date', 'delay', 'distance', 'origin', 'destination'])
    const group = await file.openRowGroup(10)
    await file.close()
    const row = createRowBuilder<Record<string, unknown>>(file.columns)
    let rows = 0
    let last: Record<string, unknown> = {}
    for (let count = group.read(1000); count > 0; count = group.read(1000)) {
      rows += count
      last = row(group.columns, count - 1)
    }
    expect(rows).toBe(272_730)
    expect(last).toEqual({
      date: expect.any(Date),
      delay: expect.any(Number),
      distance: expect.any(Number),
      origin: expect.stringMatching(/^[A-Z]{3}$/),
      destination: expect.stringMatching(/^[A-Z]{3}$/),
    })
    expect((last.date as Date).toISOString()).toBe('2001-07-01T00:00:00.000Z')
  })

  it('reads chosen columns in the order asked for, and 64-bit integers as bigint if wanted', async () => {
    const file = await open(FLIGHTS, { columns: ['origin', 'delay'], int64: 'bigint' })
    const group = await file.openRowGroup(0)
    await file.close()
    expect(group.read(10)).toBe(10)
    const [origins, delays] = group.columns
    expect(typeof origins?.[0]).toBe('string')
    expect(typeof delays?.[0]).toBe('bigint')
  })

  it('reads the same values as hyparquet, whatever the pieces', async () => {
    const file = await open(FLIGHTS)
    const group = await file.openRowGroup(3)
    await file.close()
    const bytes = readFileSync(fileURLToPath(FLIGHTS))
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    const rowStart = 3 * 272_727
    const columns = await Promise.all(
      file.columns.map(async column => {
        const scan = await parquetScan({ file: buffer, columns: [column], compressors })
        return scan.readColumn({ column, rowStart, rowEnd: rowStart + 272_727 })
      }),
    )
    let from = 0
    for (let max = 1; ; max = (max * 7) % 4099) {
      const count = group.read(max)
      if (count === 0) break
      for (const [c, values] of columns.entries()) {
        for (let i = 0; i < count; i += 97) {
          const expected = values[from + i]
          const got = group.columns[c]?.[i]
          expect(got).toEqual(typeof expected === 'bigint' ? Number(expected) : expected)
        }
      }
      from += count
    }
    expect(from).toBe(272_727)
  })

  it('names a missing column and those that are there', async () => {
    await expect(open(FLIGHTS, { columns: ['orgin'] })).rejects.toMatchObject({
      code: 'formats.parquet-column-missing',
      message: expect.stringContaining("'orgin'. It has: date, delay, distance, origin, destination."),
    })
  })

  it.each([0, 3, 8, 1000])('refuses a file of %i bytes that is no Parquet', async bytes => {
    const path = join(dir, 'x.parquet')
    writeFileSync(path, Buffer.alloc(bytes, 'x'))
    await expect(open(pathToFileURL(path).href)).rejects.toMatchObject({
      code: 'formats.parquet-invalid',
      message: expect.stringContaining('x.parquet'),
    })
  })

  it('refuses a damaged row group and names it', async () => {
    const bytes = readFileSync(fileURLToPath(FLIGHTS))
    bytes.fill(0xff, 4, 200)
    const path = join(dir, 'damaged.parquet')
    writeFileSync(path, bytes)
    const file = await open(pathToFileURL(path).href)
    const failure = file.openRowGroup(0).then(
      () => 'no failure',
      (error: unknown) => error,
    )
    expect(await failure).toMatchObject({
      code: 'formats.parquet-invalid',
      message: expect.stringContaining('row group 0'),
    })
    await file.close()
  })
})

describe('createRowBuilder', () => {
  it('takes any field name', () => {
    const names = ['__proto__', 'a"b', 'constructor', '', '\u2028', 'x\\']
    const build = createRowBuilder<object>(names)
    const row = build(
      names.map((_, i) => [i]),
      0,
    )
    expect(Object.entries(row)).toEqual(names.map((name, i) => [name, i]))
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  })
})
