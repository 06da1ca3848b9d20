import { expect, test } from 'vitest'
import { foldFrames, userFrameOf } from './user-frame.ts'

const GLUE =
  '    at eval (eval at generateCode (file:///x/node_modules/flink-ts/code.js:8:18), <anonymous>:7:18)'

test.each([
  ['    at Object.throw (e2e/jobs/endless.ts:31:11)', 'e2e/jobs/endless.ts:31:11'],
  ['    at my jobs/a.mts:1:2', 'my jobs/a.mts:1:2'],
  ['    at async file:///home/me/my%20job.ts:3:4', '/home/me/my job.ts:3:4'],
  ['    at read (/home/me/job.ts:5:6)', '/home/me/job.ts:5:6'],
])('the first frame of the user is found: %s', (frame, expected) => {
  const stack = [
    'E: (a.ts:0:0',
    '    at Timeout.x (node:internal/timers:685:17)',
    GLUE,
    frame,
    '    at z (b.ts:9:9)',
  ]
  expect(userFrameOf(stack.join('\n'))).toBe(expected)
})

test('glue, installed packages and Node.js are not the user', () => {
  const frames = [
    GLUE,
    '    at IndexReader.eval (flink-ts/datagen-1.js:5:71)',
    '    at f (node_modules/x/index.js:1:1)',
    '    at process.processTimers (node:internal/timers:618:7)',
    '    at <anonymous>:7:18',
  ]
  expect(userFrameOf(['E', ...frames].join('\n'))).toBeUndefined()
})

test('frames that are not of the user are folded, in place', () => {
  const stack = [
    'RangeError: two lines',
    '    at least in the message',
    '    at f (node_modules/x/index.js:1:1)',
    '    at check (src/job.ts:3:4)',
    '    at Array.map (<anonymous>)',
    GLUE,
    '    at async main (src/job.ts:9:1)',
    '    at process.processTimers (node:internal/timers:618:7)',
  ]
  expect(foldFrames(stack.join('\n')).split('\n')).toEqual([
    'RangeError: two lines',
    '    ... 2 frames of flink-ts, packages and Node.js',
    '    at check (src/job.ts:3:4)',
    '    ... 2 frames of flink-ts, packages and Node.js',
    '    at async main (src/job.ts:9:1)',
    '    ... 1 frame of flink-ts, packages and Node.js',
  ])
  const internal = ['Error: x', GLUE].join('\n')
  expect(foldFrames(internal)).toBe(internal)
  expect(foldFrames(internal, 'folded')).toBe('Error: x\n    ... 1 frame of flink-ts, packages and Node.js')
})
