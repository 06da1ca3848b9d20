import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { loadRocksDbAddon, type RocksDbAddon, rocksDbProblem } from './rocksdb-addon.ts'

const directory = mkdtempSync(join(tmpdir(), 'flink-rocksdb-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
// Many times as many under AddressSanitizer: `tools/rocksdb-asan.sh`.
const runs = Number(process.env['FLINK_FUZZ_RUNS'] ?? 12)

const bytes = fc.uint8Array({ maxLength: 12 })
const small = fc.integer({ min: 0, max: 6 })
/** What may be where a number, bytes, or a text belong. */
const wrong: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 32, 2 ** 53),
  fc.constantFrom<unknown>('', 'text', '\ud800', 10n, Symbol('x'), () => 0, {}, []),
  fc.constantFrom<unknown>(new ArrayBuffer(8), new DataView(new ArrayBuffer(8)), new Float64Array(2)),
  fc.constantFrom<unknown>(new Uint8Array(0), new Uint8Array(structuredClone(new ArrayBuffer(4)))),
  bytes,
  small,
)
const fits: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  // The two that are open at first, ones that are opened on the way, closed ones, and none.
  store: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, -1, 1000),
  number: fc.oneof(small, fc.integer({ min: 0, max: 200_000 })),
  bytes: fc.oneof(bytes, fc.constant(Buffer.alloc(300)), batch()),
  target: fc.integer({ min: 0, max: 400 }).map(size => new Uint8Array(size)),
  text: fc.constantFrom('rocksdb.estimate-num-keys', 'rocksdb.block.cache.hit', 'no such thing', ''),
  path: fc.constantFrom('made-1', 'made-2', 'no/such/folder').map(name => join(directory, name)),
}
const SIGNATURES: Readonly<Record<string, readonly string[]>> = {
  scratch: ['store', 'number'],
  close: ['store'],
  get: ['store', 'number', 'number'],
  write: ['store', 'bytes', 'number'],
  scan: ['store', 'number', 'bytes', 'bytes', 'number', 'target'],
  last: ['store', 'bytes', 'bytes', 'target'],
  takeSnapshot: ['store'],
  releaseSnapshot: ['store', 'number'],
  checkpoint: ['store', 'path'],
  flush: ['store'],
  deleteRange: ['store', 'bytes', 'bytes'],
  exportRange: ['store', 'bytes', 'bytes', 'path'],
  ingest: ['store', 'path'],
  property: ['store', 'text'],
  counter: ['store', 'text'],
}

/** Well-formed operations, some of which are cut off or lie about their lengths. */
function batch(): fc.Arbitrary<Uint8Array> {
  const operation = fc
    .tuple(fc.integer({ min: 0, max: 3 }), bytes, bytes, fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 })))
    .map(([kind, key, value, lie]) => {
      const head = Buffer.alloc(9)
      head[0] = kind
      head.writeUInt32LE(lie ?? key.length, 1)
      head.writeUInt32LE(value.length, 5)
      return Buffer.concat([head, key, value])
    })
  return fc.array(operation, { maxLength: 4 }).map(operations => new Uint8Array(Buffer.concat(operations)))
}

const PATHS = ['checkpoint', 'exportRange', 'ingest']

/** Nothing is to be made elsewhere. */
function inside(arg: unknown): unknown {
  return typeof arg === 'string' && !arg.startsWith(directory) ? join(directory, 'made-1') : arg
}

const call = fc.constantFrom('open', 'memory', ...Object.keys(SIGNATURES)).chain(name => {
  if (name === 'memory') return fc.constant({ name, args: [] as unknown[] })
  if (name === 'open') {
    const options = fc.record(
      { memoryBytes: fc.constant(4 << 20), writeBufferBytes: fc.oneof(fc.constant(1 << 16), wrong) },
      { requiredKeys: ['memoryBytes'] },
    )
    return fc
      .tuple(fits['path'] as fc.Arbitrary<unknown>, fc.oneof(options, wrong))
      .map(args => ({ name, args }))
  }
  const right = (SIGNATURES[name] as readonly string[]).map(kind => fits[kind] as fc.Arbitrary<unknown>)
  return fc
    .oneof(
      { weight: 6, arbitrary: fc.tuple(...right) },
      { weight: 2, arbitrary: fc.tuple(...right.map(each => fc.oneof(each, wrong))) },
      { weight: 1, arbitrary: fc.array(wrong, { maxLength: 8 }) },
    )
    .map(args => ({ name, args: (args as unknown[]).map(arg => (PATHS.includes(name) ? inside(arg) : arg)) }))
})

describe.skipIf(rocksDbProblem() !== undefined)('the addon of RocksDB (needs it)', () => {
  test('whatever it is called with, it returns or throws an Error', () => {
    const addon = loadRocksDbAddon()
    const functions = addon as unknown as Readonly<Record<string, (...args: unknown[]) => unknown>>
    let opened = 0
    const seen = { returned: 0, thrown: 0 }
    fc.assert(
      fc.property(fc.array(call, { minLength: 10, maxLength: 40 }), calls => {
        const own = [1, 2].map(() => open(addon, `store-${++opened}`))
        // Numbers of stores go on behind those of earlier runs, which are closed.
        const first = own[0] as number
        try {
          for (const { name, args } of calls) {
            const [store, ...rest] = args
            const moved = name !== 'open' && typeof store === 'number' ? [first + store, ...rest] : args
            try {
              const result = functions[name]?.(...moved)
              if (name === 'open') own.push(result as number)
              seen.returned++
            } catch (error) {
              expect(error, name).toBeInstanceOf(Error)
              expect((error as { code?: unknown }).code, name).toEqual(expect.stringMatching(/^[A-Z_]+$/))
              seen.thrown++
            }
          }
        } finally {
          for (const store of own) closed(addon, store)
          for (const name of ['made-1', 'made-2']) {
            rmSync(join(directory, name), { recursive: true, force: true })
          }
        }
      }),
      { numRuns: runs },
    )
    expect(seen.returned).toBeGreaterThan(runs)
    expect(seen.thrown).toBeGreaterThan(runs)
  }, 600_000)
})

function open(addon: RocksDbAddon, name: string): number {
  const store = addon.open(join(directory, name), {
    memoryBytes: 4 << 20,
    writeBufferBytes: 1 << 16,
    temporary: 1,
  })
  addon.scratch(store, 100)
  return store
}

function closed(addon: RocksDbAddon, store: number): void {
  try {
    addon.close(store)
  } catch (error) {
    // Closed in the course of the test.
    expect((error as { code?: unknown }).code).toBe('CLOSED')
  }
}
