// Heap state beside one plain Map of the same objects: `node --conditions=@flink-ts/source benchmarks/micro/state.mjs` (or after a build, without the condition).
import { PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createHashMapKeyedStateBackend } from '@flink-ts/state'

const MAX_PARALLELISM = 128
const RANGE = { start: 0, end: MAX_PARALLELISM - 1 }
const VALUES = { kind: 'internal', name: 'values' }

const newBackend = () =>
  createHashMapKeyedStateBackend({ keyGroupRange: RANGE, maxParallelism: MAX_PARALLELISM }, [], {
    readRange: () => Promise.reject(new Error('nothing to restore')),
  })

/** Counts bytes and drops them. */
const nullStreams = {
  open: async () => {
    let position = 0
    return {
      get position() {
        return position
      },
      write: async bytes => {
        position += bytes.length
      },
      close: async () => ({ type: 'file', path: 'file:///null', sizeBytes: position }),
      discard: async () => {},
    }
  },
}

const millions = perSecond => `${(perSecond / 1e6).toFixed(1)} M/s`
const ms = value => `${value.toFixed(2)} ms`
const report = (name, value) => console.log(`${name.padEnd(64)} ${value}`)

/** As a decoder gives them: each string of its own. */
const keyMakers = {
  number: i => i,
  'string of 14': i => Buffer.from(`key-${String(i).padStart(10, '0')}`).latin1Slice(),
}

/** The interface of a table on a plain Map, for comparison. */
const mapTable = () => {
  const map = new Map()
  return { find: key => map.get(key), insert: (key, value) => map.set(key, { key, value, saved: 0 }) }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')
const collections = []
new PerformanceObserver(list => collections.push(...list.getEntries())).observe({ entryTypes: ['gc'] })

/** The least of three runs: other processes can only make stalls longer. Returns the last table. */
async function fillThrice(makeTable, keys) {
  const runs = []
  let table
  for (let i = 0; i < 3; i++) {
    table = await makeTable()
    runs.push(await fill(table.table, keys))
  }
  const least = name => Math.min(...runs.map(run => run[name]))
  const perSecond = Math.max(...runs.map(run => run.perSecond))
  const stalls = `${ms(least('worstMs'))}, without GC ${ms(least('worstWithoutGcMs'))}`
  return { ...table, perSecond, stalls }
}

/** Inserts all keys; the worst stall of 64 inserts with and without garbage collection. */
async function fill(table, keys) {
  collectGarbage()
  await new Promise(resolve => setTimeout(resolve, 20))
  collections.length = 0
  const stalls = []
  const begin = performance.now()
  for (let i = 0; i < keys.length; i += 64) {
    const start = performance.now()
    for (let k = i; k < i + 64 && k < keys.length; k++) table.insert(keys[k], { n: k })
    const end = performance.now()
    if (end - start > 0.5) stalls.push({ start, end })
  }
  const perSecond = (keys.length / (performance.now() - begin)) * 1000
  await new Promise(resolve => setTimeout(resolve, 20))
  const within = stall => collections.filter(gc => gc.startTime >= stall.start && gc.startTime <= stall.end)
  const gcMs = stall => within(stall).reduce((sum, gc) => sum + gc.duration, 0)
  return {
    perSecond,
    worstMs: Math.max(0, ...stalls.map(stall => stall.end - stall.start)),
    worstWithoutGcMs: Math.max(0, ...stalls.map(stall => stall.end - stall.start - gcMs(stall))),
  }
}

function findAndUpdate(table, keys, operations) {
  const begin = performance.now()
  let random = 1
  for (let i = 0; i < operations; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0
    table.find(keys[random % keys.length]).value.n++
  }
  return (operations / (performance.now() - begin)) * 1000
}

for (const [kind, makeKey] of Object.entries(keyMakers)) {
  for (const count of [10_000, 1_000_000]) {
    const keys = Array.from({ length: count }, (_, i) => makeKey(i))
    const name = `${count.toLocaleString('en')} keys (${kind})`
    const plain = await fillThrice(() => ({ table: mapTable() }), keys)
    findAndUpdate(plain.table, keys, 1_000_000)
    report(`${name}: one Map: find + update`, millions(findAndUpdate(plain.table, keys, 3_000_000)))
    plain.table = undefined
    const { backend, table, perSecond, stalls } = await fillThrice(async () => {
      const made = await newBackend()
      return { backend: made, table: made.namespacedState(VALUES).table(undefined) }
    }, keys)
    findAndUpdate(table, keys, 1_000_000)
    report(`${name}: find + update`, millions(findAndUpdate(table, keys, 3_000_000)))
    if (count < 1_000_000) continue
    report(`${name}: one Map: insert while growing`, millions(plain.perSecond))
    report(`${name}: insert while growing`, millions(perSecond))
    report(`${name}: one Map: worst stall of 64 inserts`, plain.stalls)
    report(`${name}: worst stall of 64 inserts`, stalls)
    let longestMs = 0
    let sliceStart = 0
    const begin = performance.now()
    const done = backend.snapshot(1, nullStreams, async () => {
      longestMs = Math.max(longestMs, performance.now() - sliceStart)
      await new Promise(resolve => setImmediate(resolve))
      sliceStart = performance.now()
    })
    sliceStart = performance.now()
    report(`${name}: snapshot, synchronous part`, ms(sliceStart - begin))
    report(
      `${name}: find + update, snapshot open, first touches`,
      millions(findAndUpdate(table, keys, 100_000)),
    )
    sliceStart = performance.now()
    const [handle] = await done
    const size = `${(handle.location.sizeBytes / 2 ** 20).toFixed(1)} MB`
    report(`${name}: snapshot written in slices (${size})`, ms(performance.now() - begin))
    report(`${name}: longest slice, GC included`, ms(longestMs))
  }
}
