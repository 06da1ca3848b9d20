import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { detachKey, detachString, generateOwnValue, ownValue } from './detach.ts'

test('a detached key is equal to the key and another object', { timeout: 30_000 }, () => {
  const key = fc.anything({ maxDepth: 1, withDate: true, withBigInt: true })
  fc.assert(
    fc.property(key, value => {
      expect(detachKey(value)).toEqual(value)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200, size: 'max' }), text => {
      expect(detachString(text)).toBe(text)
    }),
  )
  const odd = '\ud800\0é€'.repeat(20)
  for (const length of [12, 13, 64, 65, 80])
    expect(detachString(odd.slice(0, length))).toBe(odd.slice(0, length))
  const object = { a: [1, 'x'.repeat(20)], date: new Date(1) }
  const detached = detachKey(object) as typeof object
  expect(detached).toEqual(object)
  expect(detached.a).not.toBe(object.a)
  expect(detached.date).not.toBe(object.date)
})

test('a detached part of a text does not keep the text alive', { timeout: 30_000 }, () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const megabytesKept = (keep: (text: string) => string, length: number): number => {
    gc()
    const before = process.memoryUsage().heapUsed
    const kept: string[] = []
    for (let i = 0; i < 128; i++) {
      const batch = Buffer.alloc(1 << 19, 97 + (i % 20)).toString('latin1')
      kept.push(keep(batch.substring(1000, 1000 + length)))
    }
    gc()
    const after = process.memoryUsage().heapUsed
    expect(kept).toHaveLength(128)
    return (after - before) / 2 ** 20
  }
  // Texts of more than a megabyte would lie outside of the heap that is counted.
  expect(megabytesKept(text => text, 30)).toBeGreaterThan(32)
  expect(megabytesKept(detachString, 30)).toBeLessThan(8)
  expect(megabytesKept(detachString, 300)).toBeLessThan(8)
  const inside = (text: string, old?: unknown): string => {
    const record = { id: 1, page: { names: [text], first: text } }
    ownValue(record, old)
    return record.page.first
  }
  expect(megabytesKept(inside, 30)).toBeLessThan(8)
  const own = generateOwnValue()
  const inShape = (text: string): string => {
    const record = { id: 1, first: text, page: { names: [text] } }
    own(record)
    return record.first
  }
  expect(megabytesKept(inShape, 30)).toBeLessThan(8)
})

test.each([
  ['in general', () => ownValue],
  ['with code of one state', () => generateOwnValue()],
])(
  'a value that is kept is the same object with equal content, whatever it is: %s',
  {
    timeout: 30_000,
  },
  (_, make) => {
    const any = fc.anything({
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withTypedArray: true,
    })
    fc.assert(
      fc.property(any, any, fc.boolean(), (value, old, twice) => {
        const own = make()
        // Its shape is known then, or that of another one.
        own(twice ? structuredClone(value) : structuredClone(old))
        const copy = structuredClone(value)
        expect(own(value, old)).toBe(value)
        expect(value).toEqual(copy)
      }),
    )
    const text = 'a text longer than thirteen'
    const own = make()
    own({ text: 'another one that is as long' })
    for (const guarded of [
      Object.freeze({ text }),
      Object.seal({ text }),
      {
        get text() {
          return text
        },
      },
      { text: undefined },
      { other: text },
      { text, other: text },
      Object.create(null, { text: { value: text, enumerable: true } }) as object,
    ]) {
      const copy = { ...guarded }
      expect(own(guarded)).toBe(guarded)
      expect({ ...guarded }).toEqual(copy)
    }
  },
)

test('code for a shape leaves out no field of values of other shapes', () => {
  // A getter sees whether a field was looked at, as all that may be texts must be.
  const own = generateOwnValue()
  own({ a: 1, b: 2 })
  for (const names of [['a', 'c'], ['a', 'b', 'c'], ['a'], ['b', 'a']]) {
    const seen: string[] = []
    const value = {}
    for (const name of names) {
      const get = (): string => {
        seen.push(name)
        return 'a text longer than thirteen'
      }
      Object.defineProperty(value, name, { enumerable: true, get, set: () => {} })
    }
    own(value)
    expect(new Set(seen)).toEqual(new Set(names))
  }
})

test('equal texts are taken from the value before', () => {
  const old = { text: 'a text longer than thirteen', inner: [{ text: 'another text that is long' }] }
  const next = structuredClone(old)
  ownValue(next, old)
  expect(next).toEqual(old)
  expect(next.inner).not.toBe(old.inner)
  const own = generateOwnValue()
  own(structuredClone(old))
  const another = structuredClone(old)
  own(another, old)
  expect(another).toEqual(old)
})
