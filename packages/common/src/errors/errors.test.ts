import { expect, test } from 'vitest'
import { defineError } from './flink-error.ts'
import { deserializeError, serializeError } from './serialized-error.ts'

const Broken = defineError<{ part: string; count: number }>({
  code: 'test.broken',
  domain: 'external',
  retry: 'backoff',
  message: d => `${d.part} broke ${d.count} times.`,
})

test('an error survives serialization with code, data, stack and causes', () => {
  const original = Broken({ part: 'disk', count: 2 }, new TypeError('inner', { cause: 'text thrown' }))
  const copy = deserializeError(JSON.parse(JSON.stringify(serializeError(original))))
  expect(Broken.is(copy)).toBe(true)
  expect(copy).toMatchObject({
    message: 'disk broke 2 times.',
    domain: 'external',
    retry: 'backoff',
    data: { part: 'disk', count: 2 },
  })
  expect(copy.stack).toBe(original.stack)
  expect((copy.cause as Error).name).toBe('TypeError')
  expect(((copy.cause as Error).cause as Error).message).toBe('text thrown')
})

test('the stack begins where the error was made', () => {
  const error = Broken({ part: 'disk', count: 1 })
  expect(error.stack?.split('\n')[1]).toContain('errors.test.ts')
})

const Nested = defineError<{ reason: string }>({
  code: 'test.nested',
  domain: 'external',
  retry: 'no',
  message: d => `It failed: ${d.reason}. Try again: ${d.reason}.`,
})

test.each([
  ['the disk is full.', 'the disk is full.'],
  ["no 'x' (y).", "no 'x' (y)."],
  ['did you mean z?', 'did you mean z?'],
  ['and so on...', 'and so on....'],
  ['see ../x', 'see ../x.'],
  ['0 .. 5', '0 .. 5.'],
])('a message inside another one ends once: %s', (reason, sentence) => {
  expect(Nested({ reason }).message).toBe(`It failed: ${sentence} Try again: ${sentence}`)
})

test('a cycle of causes ends', () => {
  const a = new Error('a')
  a.cause = a
  expect(JSON.stringify(serializeError(a)).length).toBeLessThan(100_000)
})

test('what cannot be shown is reported nevertheless', () => {
  const hostile = {
    get message() {
      throw new Error('getter')
    },
    toString() {
      throw new Error('toString')
    },
  }
  const shown = { name: 'NonError', message: 'a thrown object that cannot be shown' }
  expect(serializeError(hostile)).toEqual(shown)
  expect(serializeError(new Error('outer', { cause: hostile }))).toMatchObject({
    message: 'outer',
    cause: shown,
  })
  expect(serializeError(Object.create(null))).toMatchObject({ name: 'NonError', message: '{}' })
  expect(serializeError(10n)).toMatchObject({ message: '10' })
  const odd = Object.assign(new Error('odd'), { stack: 5, message: { a: Symbol('x') } })
  expect(structuredClone(serializeError(odd))).toMatchObject({ message: '[object Object]', stack: '5' })
})
