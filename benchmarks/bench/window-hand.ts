// Yardsticks for windows. columns: the fastest layouts found, for sums alone, as no function of a user can be run on
// them. objects: a Map for each window or pane, with what any aggregate function needs.
// node benchmarks/bench/window-hand.ts <columns | objects> <number | string> <tumbling | sliding> <records>
import { beginStretch, STRETCH_MARK, warmUpOf } from '../smoke/stretch.ts'
import { type Measurement, measurements, SLIDE_MS, type Sum, WINDOW_MS } from './sums.ts'

/** How late watermarks are, as if they came every so often. */
const WATERMARK_EVERY = 1000

const emitted = { results: 0, sum: 0 }
const emit = (key: number | string, end: number, count: number, sum: number): void => {
  const result = { key, end, count, sum }
  emitted.results++
  emitted.sum += result.sum
}

/** Sums by integer key, in typed arrays with open addressing. */
class IntegerSums {
  #keys = new Int32Array(1 << 12)
  #counts = new Float64Array(1 << 12)
  #sums = new Float64Array(1 << 12)
  #used = 0

  add(key: number, count: number, value: number): void {
    const keys = this.#keys
    const mask = keys.length - 1
    // 0 stands for an empty place.
    const stored = key + 1
    let at = (Math.imul(key, 0x9e3779b1) >>> 7) & mask
    while (keys[at] !== stored) {
      if (keys[at] === 0) {
        if (++this.#used > keys.length * 0.6) {
          this.#used--
          this.#grow()
          this.add(key, count, value)
          return
        }
        keys[at] = stored
        break
      }
      at = (at + 1) & mask
    }
    this.#counts[at] = (this.#counts[at] as number) + count
    this.#sums[at] = (this.#sums[at] as number) + value
  }

  each(visit: (key: number, count: number, sum: number) => void): void {
    for (const [at, stored] of this.#keys.entries()) {
      if (stored !== 0) visit(stored - 1, this.#counts[at] as number, this.#sums[at] as number)
    }
  }

  #grow(): void {
    const bigger = new IntegerSums()
    const length = this.#keys.length * 2
    bigger.#keys = new Int32Array(length)
    bigger.#counts = new Float64Array(length)
    bigger.#sums = new Float64Array(length)
    this.each((key, count, sum) => bigger.add(key, count, sum))
    this.#keys = bigger.#keys
    this.#counts = bigger.#counts
    this.#sums = bigger.#sums
  }
}

/** Sums by string key: each key has a place of its own in columns. */
class StringSums {
  static readonly #places = new Map<string, number>()
  static readonly #names: string[] = []
  #counts = new Float64Array(4096)
  #sums = new Float64Array(4096)

  add(key: string, count: number, value: number): void {
    let place = StringSums.#places.get(key)
    if (place === undefined) {
      place = StringSums.#names.push(key) - 1
      StringSums.#places.set(key, place)
    }
    if (place >= this.#counts.length) {
      this.#counts = grown(this.#counts, place)
      this.#sums = grown(this.#sums, place)
    }
    this.#counts[place] = (this.#counts[place] as number) + count
    this.#sums[place] = (this.#sums[place] as number) + value
  }

  each(visit: (key: string, count: number, sum: number) => void): void {
    for (const [place, count] of this.#counts.entries()) {
      if (count !== 0) visit(StringSums.#names[place] as string, count, this.#sums[place] as number)
    }
  }
}

/** Sums by any key, each an object that an aggregate function changes. */
class ObjectSums {
  readonly #sums = new Map<number | string, Sum>()

  add(key: number | string, count: number, value: number): void {
    const sum = this.#sums.get(key)
    if (sum === undefined) this.#sums.set(key, { count, sum: value })
    else {
      sum.count += count
      sum.sum += value
    }
  }

  each(visit: (key: number | string, count: number, sum: number) => void): void {
    for (const [key, { count, sum }] of this.#sums) visit(key, count, sum)
  }
}

function grown(column: Float64Array, place: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(place + 1, column.length * 2))
  larger.set(column)
  return larger
}

interface Sums {
  add(key: number | string, count: number, value: number): void
  each(visit: (key: never, count: number, sum: number) => void): void
}

const [layout = 'columns', kind = 'number', assigner = 'tumbling', count = '5000000'] = process.argv.slice(2)
const Layout = layout === 'objects' ? ObjectSums : kind === 'string' ? StringSums : IntegerSums
const newSums = (): Sums => new Layout() as unknown as Sums
const paneMs = assigner === 'sliding' ? SLIDE_MS : WINDOW_MS
const panes = new Map<number, Sums>()
let current: { readonly start: number; readonly sums: Sums } | undefined
let fired = 0

function add({ key, value, time }: Measurement): void {
  const start = time - (time % paneMs)
  if (current?.start !== start) {
    const sums = panes.get(start) ?? newSums()
    panes.set(start, sums)
    current = { start, sums }
  }
  current.sums.add(key, 1, value)
}

/** Panes of the window are added up when it is over. */
function fireUpTo(time: number): void {
  for (let end = fired + paneMs; end <= time; end += paneMs) {
    fired = end
    const first = panes.get(end - WINDOW_MS)
    if (paneMs === WINDOW_MS) first?.each((key, n, sum) => emit(key, end, n, sum))
    else {
      const total = newSums()
      for (let start = end - WINDOW_MS; start < end; start += paneMs) {
        panes.get(start)?.each((key, n, sum) => total.add(key, n, sum))
      }
      total.each((key, n, sum) => emit(key, end, n, sum))
    }
    panes.delete(end - WINDOW_MS)
  }
}

const make = measurements(kind)
function run(from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const record = make(index)
    add(record)
    if (index % WATERMARK_EVERY === 0) fireUpTo(record.time)
  }
}

const records = Number(count)
run(0, warmUpOf(records))
const end = beginStretch()
run(warmUpOf(records), records)
console.log(STRETCH_MARK + JSON.stringify(end(records - warmUpOf(records))))
