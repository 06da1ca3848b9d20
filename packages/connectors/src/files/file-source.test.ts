import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Source } from '@flink-ts/operators'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileSource } from './file-source.ts'
import { ParquetSource } from './parquet-source.ts'
import { allSplits, readerContext } from './testing/enumeration.ts'
import { TextLineSource } from './text-line-source.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'file-source-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const FLIGHTS = new URL('../../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url)
  .href

/** Reads splits in one reader, at most `limit` records, `max` a call. Returns the records and what is left. */
async function read<T, S>(
  source: Source<T, S>,
  splits: readonly S[],
  limit = Number.POSITIVE_INFINITY,
  max = 1000,
) {
  let wake = (): void => {}
  let failure: { error: unknown } | undefined
  const reader = source.createReader(
    readerContext({
      wake: () => wake(),
      fail: error => {
        failure = { error }
        wake()
      },
    }),
  )
  const records: T[] = []
  const output = { collect: (value: T) => void records.push(value) }
  await reader.open?.()
  reader.addSplits(splits)
  while (records.length < limit) {
    const woken = new Promise<void>(resolve => {
      wake = resolve
    })
    const answer = reader.poll(Math.min(max, limit - records.length), output)
    if (answer === 'end') break
    if (answer === 'wait') await woken
    if (failure !== undefined) {
      await reader.close?.()
      throw failure.error
    }
  }
  const left = JSON.parse(JSON.stringify(reader.snapshot())) as S[]
  await reader.close?.()
  return { records, left }
}

function textFile(name: string, content: string | Buffer): string {
  const path = join(dir, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, content)
  return path
}

const smallBlocks = (uris: string[], splitBytes: number, blockBytes: number): TextLineSource =>
  new TextLineSource({ uris, splitBytes, blockBytes })
const uriOf = (path: string): string => `file://${path}`

describe('FileSource.forTextLines', () => {
  it('gives every line once, whatever the splits, blocks and stops', { timeout: 30_000 }, async () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'ö', '🙂', ' ', '\r', ','), maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.boolean(),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 8 }), { maxLength: 5 }),
        fc.integer({ min: 1, max: 3 }),
        async (lines, ended, newline, splitBytes, blockBytes, stops, parallelism) => {
          const text = lines.join(newline) + (ended && lines.length > 0 ? newline : '')
          const expected = text.split('\n').map(one => one.replace(/\r$/, ''))
          if (expected.at(-1) === '' && !text.endsWith('\r')) expected.pop()
          const source = smallBlocks([uriOf(textFile('text', text))], splitBytes, blockBytes)
          const splits = await allSplits(source)
          const all: string[] = []
          for (let i = 0; i < parallelism; i++) {
            let left = splits.filter((_, n) => n % parallelism === i)
            for (const stop of stops) {
              const part = await read(source, left, stop, 3)
              all.push(...part.records)
              left = part.left
            }
            all.push(...(await read(source, left)).records)
          }
          expect(all.sort()).toEqual(expected.sort())
        },
      ),
      { numRuns: 100 },
    )
  })

  it('reads in file order and skips hidden files', async () => {
    textFile('in/b.txt', 'b1\nb2')
    textFile('in/a.txt', 'a1\n')
    textFile('in/deep/c.txt', 'c1\n')
    textFile('in/.hidden', 'no\n')
    textFile('in/_SUCCESS', 'no\n')
    textFile('in/empty.txt', '')
    const other = textFile('z.txt', 'z1\n')
    const source = FileSource.forTextLines(join(dir, 'in'), other, join(dir, 'in/a.txt')).build()
    const splits = await allSplits(source)
    // Also when a restore mixed them.
    const { records, left } = await read(source, [...splits].reverse())
    expect(records).toEqual(['a1', 'b1', 'b2', 'c1', 'z1'])
    expect(left).toEqual([])
  })

  it('unpacks .gz files, also from a position', async () => {
    const lines = Array.from({ length: 100 }, (_, i) => `line ${i}`)
    const source = FileSource.forTextLines(textFile('x.gz', gzipSync(lines.join('\n')))).build()
    const first = await read(source, await allSplits(source), 37)
    const second = await read(source, first.left)
    expect([...first.records, ...second.records]).toEqual(lines)
    const broken = FileSource.forTextLines(textFile('y.gz', 'not packed')).build()
    await expect(read(broken, await allSplits(broken))).rejects.toMatchObject({
      code: 'connectors.file-not-unpackable',
      message: expect.stringContaining('y.gz'),
    })
  })

  it('names a path that is not there', async () => {
    const source = FileSource.forTextLines(join(dir, 'gone')).build()
    await expect(allSplits(source)).rejects.toMatchObject({
      code: 'connectors.path-not-found',
      message: expect.stringContaining(join(dir, 'gone')),
    })
  })

  it('notices a file that became shorter', async () => {
    const path = textFile('x', 'a\nb\nc\n')
    const source = FileSource.forTextLines(path).build()
    const splits = await allSplits(source)
    writeFileSync(path, 'a\n')
    await expect(read(source, splits)).rejects.toMatchObject({ code: 'connectors.file-changed' })
  })

  it('refuses settings that make no sense', () => {
    expect(() => FileSource.forTextLines()).not.toThrow()
    expect(() => FileSource.forTextLines().build()).toThrow('at least one path')
    expect(() => FileSource.forTextLines('x').withSplitSize(0)).toThrow('above 0')
  })
})

describe('FileSource.forParquet', { timeout: 30_000 }, () => {
  const delays = (): ParquetSource<{ delay: number }> =>
    new ParquetSource({ uris: [FLIGHTS], columns: ['delay'], int64: 'number' })

  it('has a split for each row group, in order', async () => {
    const splits = await allSplits(FileSource.forParquet(FLIGHTS).build())
    expect(splits).toHaveLength(11)
    expect(splits[3]).toEqual({ index: 3, uri: FLIGHTS, rowGroup: 3, rows: 272_727, rowOffset: 0 })
  })

  it('goes on exactly where it was stopped', async () => {
    const source = delays()
    const splits = (await allSplits(source)).slice(9)
    const whole = await read(source, splits)
    expect(whole.records).toHaveLength(272_727 + 272_730)
    const parts: { delay: number }[] = []
    let left: readonly (typeof splits)[number][] = splits
    for (const stop of [0, 1, 999, 271_726, 1, 1, 100_000]) {
      const part = await read(source, left, stop)
      parts.push(...part.records)
      left = part.left
    }
    parts.push(...(await read(source, left)).records)
    expect(parts.map(row => row.delay)).toEqual(whole.records.map(row => row.delay))
  })

  it('leaves nothing to do behind the last row', async () => {
    const source = delays()
    const [split] = (await allSplits(source)).slice(10)
    const end = { ...(split as NonNullable<typeof split>), rowOffset: 272_729 }
    const { records, left } = await read(source, [end])
    expect(records).toHaveLength(1)
    expect(left).toEqual([])
  })

  it('names the file that is no Parquet, and one that changed', async () => {
    const source = FileSource.forParquet(textFile('x.parquet', 'hello')).build()
    await expect(allSplits(source)).rejects.toThrow('x.parquet')
    const [split] = await allSplits(delays())
    const changed = { ...(split as NonNullable<typeof split>), rows: 5 }
    await expect(read(delays(), [changed])).rejects.toMatchObject({ code: 'connectors.file-changed' })
  })

  it('can be closed while it loads', async () => {
    const source = delays()
    const reader = source.createReader(readerContext())
    reader.addSplits(await allSplits(source))
    expect(reader.poll(10, { collect: () => {} })).toBe('wait')
    expect(reader.snapshot()).toHaveLength(11)
    await reader.close?.()
  })
})
