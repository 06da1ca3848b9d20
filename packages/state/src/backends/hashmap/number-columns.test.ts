import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyedStateBackend, StateTable } from '../../api/keyed-state-backend.ts'
import type { KeyedStateHandle, StateLocation } from '../../snapshot/state-handle.ts'
import { CopyOnWrite } from './copy-on-write.ts'
import { createHashMapKeyedStateBackend } from './create-hash-map-keyed-state-backend.ts'
import { KeyCursor } from './key-cursor.ts'
import { NumberColumns, numberShape } from './number-columns.ts'
import { NO_INTEGER_KEY } from './number-segment.ts'

interface Sum {
  count: number
  sum: number
}

const newColumns = () => new NumberColumns(numberShape(['count', 'sum']), new CopyOnWrite(new KeyCursor()))

function write(columns: NumberColumns, key: number, { count, sum }: Sum): void {
  let at = columns.find(key)
  if (at < 0) at = columns.insert(key)
  columns.data[at] = count
  columns.data[at + 1] = sum
}

const contents = (entries: Iterable<{ key: unknown; value: unknown }>): Map<unknown, unknown> => {
  const map = new Map<unknown, unknown>()
  for (const { key, value } of entries) {
    expect(map.has(key)).toBe(false)
    map.set(key, value)
  }
  return map
}

/** Few keys, and keys whose products agree in many bits, so that they meet in one place. */
const keys = fc
  .oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.integer({ min: -8, max: 8 }).map(n => (n * 2 ** 28) | 0),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  )
  .filter(key => key !== NO_INTEGER_KEY)
const steps = fc.array(
  fc.record({ key: keys, remove: fc.boolean(), count: fc.integer(), sum: fc.double() }),
  { maxLength: 300 },
)

test('columns hold what a Map would', () => {
  fc.assert(
    fc.property(steps, input => {
      const columns = newColumns()
      const model = new Map<number, Sum>()
      for (const { key, remove, count, sum } of input) {
        expect(columns.find(key) >= 0).toBe(model.has(key))
        if (remove) expect(columns.remove(key)).toBe(model.delete(key))
        else {
          write(columns, key, { count, sum })
          model.set(key, { count, sum })
        }
      }
      expect(columns.size).toBe(model.size)
      expect(contents(columns.entries())).toEqual(model)
    }),
    { numRuns: 500 },
  )
})

test.each([
  ['in a row', (i: number) => i],
  ['far apart', (i: number) => Math.imul(i, 0x2c1b3c6d)],
  ['of equal distance', (i: number) => (i * 4096) | 0],
])('200,000 keys %s are all found, in many segments', (_, keyOf) => {
  const columns = newColumns()
  const expected = new Map<number, Sum>()
  for (let i = 0; i < 200_000; i++) {
    write(columns, keyOf(i), { count: i, sum: -i })
    expected.set(keyOf(i), { count: i, sum: -i })
  }
  expect(columns.size).toBe(expected.size)
  let wrong = 0
  for (const [key, { count, sum }] of expected) {
    const at = columns.find(key)
    if (at < 0 || columns.data[at] !== count || !Object.is(columns.data[at + 1], sum)) wrong++
  }
  expect(wrong).toBe(0)
  expect(columns.freeze().length).toBeGreaterThan(8)
})

async function openBackend(restored: readonly KeyedStateHandle[] = [], incremental = false) {
  const options = {
    keyGroupRange: { start: 0, end: 127 },
    maxParallelism: 128,
    snapshotSliceMs: 0,
    incremental,
  }
  return await createHashMapKeyedStateBackend(options, restored, { readRange: readInline })
}

const readInline = (location: StateLocation, offset: number, length: number): Promise<Buffer> => {
  if (location.type !== 'inline') throw new Error('everything is inline here')
  return Promise.resolve(Buffer.from(location.base64, 'base64').subarray(offset, offset + length))
}

const streams = {
  open: () => {
    const parts: Uint8Array[] = []
    let position = 0
    return Promise.resolve({
      get position() {
        return position
      },
      write: (bytes: Uint8Array) => {
        parts.push(Uint8Array.from(bytes))
        position += bytes.length
        return Promise.resolve()
      },
      close: () => Promise.resolve({ type: 'inline', base64: Buffer.concat(parts).toString('base64') }),
      discard: () => Promise.resolve(),
    })
  },
} as never

const stateOf = (backend: KeyedStateBackend) =>
  backend.namespacedState<Sum>({ kind: 'aggregating', name: 'sums' })

function put(table: StateTable<Sum>, key: unknown, value: Sum): void {
  const { numbers } = table
  if (numbers === undefined || (Number(key) | 0) !== key || key === NO_INTEGER_KEY) {
    const entry = table.find(key)
    if (entry === undefined) table.insert(key, value)
    else entry.value = value
    return
  }
  write(numbers as NumberColumns, key as number, value)
}

const mixedKeys = fc.oneof(keys, fc.constantFrom('a', 'b', 1.5, 2 ** 40, NO_INTEGER_KEY))
const changes = fc.array(fc.record({ key: mixedKeys, remove: fc.boolean(), count: fc.integer() }), {
  maxLength: 60,
})

test('a snapshot has what there was when it began, whatever changes while it is written', async () => {
  await fc.assert(
    fc.asyncProperty(changes, changes, fc.boolean(), async (before, during, dropped) => {
      const backend = await openBackend()
      const state = stateOf(backend)
      state.useNumbers?.(['count', 'sum'])
      const apply = ({ key, remove, count }: (typeof before)[number]): void => {
        const table = state.table(7)
        if (remove) table.remove(key)
        else put(table, key, { count, sum: count / 2 })
      }
      for (const change of before) apply(change)
      const expected = contents(state.existing(7)?.entries() ?? [])
      const left = [...during]
      const handles = await backend.snapshot(1, streams, () => {
        const change = left.shift()
        if (change !== undefined) apply(change)
        else if (dropped) state.drop(7)
        return Promise.resolve()
      })
      for (const change of left) apply(change)
      const restored = stateOf(await openBackend(handles))
      expect(contents(restored.existing(7)?.entries() ?? [])).toEqual(expected)
    }),
    { numRuns: 200 },
  )
})

test('numbers are values themselves without fields; incremental snapshots keep entries', async () => {
  const backend = await openBackend()
  const state = backend.namespacedState<number>({ kind: 'aggregating', name: 'counts' })
  state.useNumbers?.([])
  const { numbers } = state.table('w')
  const at = numbers?.insert(5) as number
  if (numbers !== undefined) numbers.data[at] = -0
  expect(contents(state.table('w').entries())).toEqual(new Map([[5, -0]]))
  expect(state.table('w').find(5)?.value).toBe(-0)
  const incremental = stateOf(await openBackend([], true))
  incremental.useNumbers?.(['count', 'sum'])
  expect(incremental.table(1).numbers).toBeUndefined()
})
