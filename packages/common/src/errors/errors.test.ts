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

test('a cycle of causes ends', () => {
  const a = new Error('a')
  a.cause = a
  expect(JSON.stringify(serializeError(a)).length).toBeLessThan(100_000)
})
