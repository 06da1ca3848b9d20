import { inspect } from 'node:util'
import { defineError, deserializeError, serializeError } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { presentable } from './presentable-error.ts'

const Refused = defineError<{ field: string }>({
  code: 'test.refused',
  domain: 'user',
  retry: 'no',
  message: d => `The field ${d.field} is refused.`,
})

const withStack = <E extends Error>(error: E, ...frames: string[]): E => {
  error.stack = [`${error.name}: ${error.message}`, ...frames.map(frame => `    at ${frame}`)].join('\n')
  return error
}
const OURS = ['eval (flink-ts/task-1.js:5:71)', 'f (node_modules/x/index.js:1:1)']

test('what Node.js prints of an error of the job are its message, the user and no more; code and data are still there', () => {
  const cause = withStack(new TypeError('no number: b'), 'parse (src/job.ts:4:24)', ...OURS)
  const error = withStack(Refused({ field: 'n' }, cause), 'parse (src/job.ts:4:24)', ...OURS)
  const shown = presentable(deserializeError(JSON.parse(JSON.stringify(serializeError(error)))))
  const text = inspect(shown, { customInspect: false })
  expect(text.split('\n').filter(line => line.includes('src/job.ts'))).toEqual([
    '    at parse (src/job.ts:4:24)',
  ])
  expect(text).toContain('... 2 frames of flink-ts, packages and Node.js')
  expect(text).toContain('no number: b')
  expect(text).not.toContain('domain')
  expect(shown).toMatchObject({ code: 'test.refused', data: { field: 'n' } })
  expect((shown.cause as Error).message).toBe('no number: b')
})

test('an error for the user without a frame of the user has no frames of ours; one that may be our fault keeps them', () => {
  const refused = presentable(withStack(Refused({ field: 'n' }), ...OURS))
  expect(refused.stack?.split('\n')).toEqual([
    'FlinkError: The field n is refused.',
    '    ... 2 frames of flink-ts, packages and Node.js',
  ])
  expect(presentable(withStack(new RangeError('ours'), ...OURS)).stack).toContain('task-1.js')
})

test('a cycle of causes ends', () => {
  const error = new Error('x')
  error.cause = error
  expect(presentable(error)).toBe(error)
})
