import { expect, test } from 'vitest'
import { sourcePathsOf } from './source-paths.ts'

const folder = '/tmp/flink tm/bundles/4ccd'
const moduleUrl = 'file:///tmp/flink%20tm/bundles/4ccd/job.mjs'
const job = (code: object) => ({ program: { code } }) as never
const error = {
  name: 'E',
  message: `no such file ${folder}/data.csv`,
  stack: `E: x\n    at f (${folder}/src/job.ts:3:1)\n    at file:///tmp/flink%20tm/bundles/4ccd/job.mjs:1:2\n    at g (/usr/lib/x.ts:1:1)`,
}

test('sources of a bundle are named relative to the project, in causes too', () => {
  const named = sourcePathsOf(job({ type: 'bundle', blobKey: '4ccd' }), moduleUrl)
  expect(named({ ...error, cause: error })).toMatchObject({
    message: 'no such file data.csv',
    stack: 'E: x\n    at f (src/job.ts:3:1)\n    at job.mjs:1:2\n    at g (/usr/lib/x.ts:1:1)',
    cause: { message: 'no such file data.csv' },
  })
})

test('a program that was not bundled keeps its paths', () => {
  expect(sourcePathsOf(job({ type: 'module', url: moduleUrl }), moduleUrl)(error)).toBe(error)
})
