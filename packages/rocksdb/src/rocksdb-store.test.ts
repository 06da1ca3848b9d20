import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { loadRocksDbAddon, rocksDbProblem } from './rocksdb-addon.ts'
import { RocksDbStore } from './rocksdb-store.ts'
import { StoreBatch } from './store-batch.ts'

const directory = mkdtempSync(join(tmpdir(), 'flink-rocksdb-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
let stores = 0
const nextPath = (): string => join(directory, `store-${++stores}`)
const small = { memoryBytes: 8 << 20, writeBufferBytes: 1 << 16 }

function withStore(use: (store: RocksDbStore) => void): void {
  const store = RocksDbStore.open(nextPath(), small, true)
  try {
    use(store)
  } finally {
    store.close()
  }
}

function read(store: RocksDbStore, key: Uint8Array): string | undefined {
  store.keyBuffer(key.length).set(key)
  const value = store.get(key.length)
  return value === undefined ? undefined : Buffer.from(value).toString('hex')
}

function readAll(store: RocksDbStore, lower: Uint8Array, upper: Uint8Array, snapshot = 0): string[] {
  const found: string[] = []
  for (let from = lower; ; ) {
    const entries = store.scan({ lower: from, upper, limit: 3, snapshot })
    if (entries.length === 0) return found
    for (const { key, value } of entries) found.push(`${hex(key)}=${hex(value)}`)
    const { key } = entries.at(-1) as { key: Uint8Array }
    from = Buffer.concat([key, Buffer.of(0)])
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Buffer => Buffer.from(text)
const key = fc.uint8Array({ minLength: 0, maxLength: 3, max: 4 })
const operation = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, value: fc.uint8Array({ maxLength: 40 }) }),
  fc.record({ type: fc.constant('put' as const), key, value: fc.constant(new Uint8Array(100_000).fill(7)) }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({ type: fc.constant('delete-range' as const), key, until: key }),
  fc.record({ type: fc.constant('flush' as const) }),
)

describe.skipIf(rocksDbProblem() !== undefined)('a RocksDB store (needs the addon)', () => {
  test('holds what a sorted map holds', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 30 }), key, key, (operations, lower, upper) => {
        withStore(store => {
          const model = new Map<string, string>()
          const batch = new StoreBatch()
          for (const op of operations) {
            if (op.type === 'put') {
              batch.put(op.key, op.value)
              model.set(hex(op.key), hex(op.value))
            } else if (op.type === 'delete') {
              batch.delete(op.key)
              model.delete(hex(op.key))
            } else if (op.type === 'flush') {
              store.write(batch)
              store.flush()
            } else if (hex(op.key) < hex(op.until)) {
              batch.deleteRange(op.key, op.until)
              for (const known of [...model.keys()])
                if (known >= hex(op.key) && known < hex(op.until)) model.delete(known)
            }
          }
          store.write(batch)
          for (const op of operations)
            if ('key' in op) expect(read(store, op.key)).toBe(model.get(hex(op.key)))
          const inRange = [...model].filter(([k]) => k >= hex(lower) && k < hex(upper)).sort()
          expect(readAll(store, lower, upper)).toEqual(inRange.map(([k, v]) => `${k}=${v}`))
          const last = store.last(lower, upper)
          expect(last === undefined ? undefined : hex(last.key)).toBe(inRange.at(-1)?.[0])
        })
      }),
      { numRuns: 15 },
    )
  })

  test('keeps a snapshot as it was, makes checkpoints, and takes over ranges of other stores', () => {
    withStore(store => {
      const batch = new StoreBatch()
      for (let i = 0; i < 100; i++) batch.put(Buffer.of(1, i), bytesOf(`v${i}`))
      store.write(batch)
      const snapshot = store.takeSnapshot()
      const before = readAll(store, Buffer.of(0), Buffer.of(9))
      const copy = nextPath()
      store.checkpoint(copy)
      store.deleteRange(Buffer.of(1, 10), Buffer.of(1, 90))
      expect(readAll(store, Buffer.of(0), Buffer.of(9))).toHaveLength(20)
      expect(readAll(store, Buffer.of(0), Buffer.of(9), snapshot)).toEqual(before)
      store.releaseSnapshot(snapshot)

      const restored = RocksDbStore.open(copy, small, true)
      expect(readAll(restored, Buffer.of(0), Buffer.of(9))).toEqual(before)
      const file = join(directory, 'range.sst')
      expect(restored.exportRange(Buffer.of(1, 10), Buffer.of(1, 90), file)).toBe(80)
      expect(restored.exportRange(Buffer.of(2), Buffer.of(3), join(directory, 'none.sst'))).toBe(0)
      store.ingest(file)
      expect(readAll(store, Buffer.of(0), Buffer.of(9))).toEqual(before)
      restored.close()
      expect(existsSync(copy)).toBe(false)
      expect(Number(store.property('rocksdb.estimate-num-keys'))).toBeGreaterThan(0)
      expect(store.property('rocksdb.no-such-property')).toBeUndefined()
    })
  })

  test('all stores share one bounded memory', () => {
    // In a process of its own: other tests of this one have stores too.
    const paths = [nextPath(), nextPath()]
    const program = `
      import { loadRocksDbAddon, RocksDbStore, StoreBatch } from '@flink-ts/rocksdb'
      const [a, b] = [8, 99].map((size, i) =>
        RocksDbStore.open(${JSON.stringify(paths)}[i], { memoryBytes: size << 20, writeBufferBytes: 1 << 16 }, true))
      const batch = new StoreBatch()
      let missing = 0
      for (const store of [a, b]) {
        for (let i = 0; i < 20_000; i++) {
          batch.put(Buffer.from('key ' + i), new Uint8Array(1000).fill(i))
          if (i % 500 === 0) store.write(batch)
        }
        store.write(batch)
      }
      for (let i = 0; i < 20_000; i += 7) {
        const key = Buffer.from('key ' + i)
        for (const store of [a, b]) {
          store.keyBuffer(key.length).set(key)
          if (store.get(key.length) === undefined) missing++
        }
      }
      const used = b.memory()
      a.close()
      b.close()
      console.log(JSON.stringify({ missing, used, left: loadRocksDbAddon().memory() }))`
    const folder = fileURLToPath(new URL('..', import.meta.url))
    const args = ['--conditions=@flink-ts/source', '--input-type=module', '--eval', program]
    const { missing, used, left } = JSON.parse(
      execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' }),
    )
    expect(missing).toBe(0)
    expect(used).toMatchObject({ cacheCapacityBytes: 8 << 20, writeBuffersCapacityBytes: 4 << 20 })
    // Blocks in use are pinned for a moment.
    expect(used.cacheUsedBytes).toBeLessThan(used.cacheCapacityBytes * 1.25)
    expect(left.cacheCapacityBytes).toBe(0)
  })

  test('keys and values may be large', () => {
    withStore(store => {
      const batch = new StoreBatch()
      const largeKey = Buffer.alloc(300_000, 'k')
      batch.put(largeKey, Buffer.alloc(3_000_000, 'v'))
      store.write(batch)
      expect(read(store, largeKey)?.length).toBe(6_000_000)
      expect(read(store, bytesOf('other'))).toBeUndefined()
      expect(store.scan({ lower: bytesOf('a'), upper: bytesOf('z') })[0]?.value.length).toBe(3_000_000)
      expect(store.last(bytesOf('a'), bytesOf('z'))?.key.length).toBe(300_000)
    })
  })

  test('what is closed, unknown or of a wrong type throws, and the process goes on', () => {
    const addon = loadRocksDbAddon()
    const calls = Object.entries(addon).filter(([, call]) => typeof call === 'function') as [
      string,
      (...values: unknown[]) => unknown,
    ][]
    const path = nextPath()
    const open = addon.open(path, { temporary: 1 })
    const closed = addon.open(nextPath(), { temporary: 1 })
    addon.close(closed)
    const value = fc.oneof(
      fc.constantFrom<unknown>(
        open,
        closed,
        99,
        -1,
        1.5,
        Number.NaN,
        2 ** 40,
        null,
        undefined,
        {},
        [],
        () => 1,
      ),
      fc.constantFrom<unknown>(
        new Uint8Array(0),
        new Uint8Array(50),
        new Float64Array(4),
        new DataView(new ArrayBuffer(8)),
      ),
      fc.constantFrom<unknown>('', 'text', '/proc/no/folder', Symbol('x'), 1n),
      fc.uint8Array({ maxLength: 60 }),
    )
    // Not those that would close the store or read files of the host.
    const tried = calls.filter(([name]) => !['close', 'open', 'scratch', 'memory'].includes(name))
    fc.assert(
      fc.property(fc.constantFrom(...tried), fc.array(value, { maxLength: 7 }), ([, call], values) => {
        try {
          call(...values)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 3000 },
    )
    addon.close(open)
    expect(() => addon.close(open)).toThrow('is closed')
    expect(() => addon.get(open, 0, 0)).toThrow('is closed')
    expect(() => addon.open(path, null as never)).toThrow('no object')
    expect(() => addon.open('/proc/no/folder', {})).toThrow(expect.objectContaining({ code: 'IO' }))
    expect(() => addon.open(path, { threads: 'many' as never })).toThrow('threads')
    const store = RocksDbStore.open(path, small, true)
    expect(() => RocksDbStore.open(path, small, true)).toThrow(
      expect.objectContaining({ code: 'rocksdb.store-failed' }),
    )
    store.close()
    expect(() => store.get(0)).toThrow(expect.objectContaining({ code: 'rocksdb.store-misused' }))
    expect(readdirSync(directory)).not.toContain('text')
    rmSync('text', { recursive: true, force: true })
  })

  test('a thread that ends closes its stores and removes temporary ones', async () => {
    const path = nextPath()
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const addon = require(workerData.addon)
      addon.open(workerData.path, { temporary: 1 })
      parentPort.postMessage('open')
      setInterval(() => {}, 1000)`
    const addon = join(import.meta.dirname, '../build/rocksdb.node')
    const worker = new Worker(code, { eval: true, workerData: { addon, path } })
    await new Promise(resolve => worker.once('message', resolve))
    expect(existsSync(path)).toBe(true)
    await worker.terminate()
    expect(existsSync(path)).toBe(false)
  })
})
