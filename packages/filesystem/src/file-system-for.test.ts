import { expect, test } from 'vitest'
import { fileSystemFor } from './file-system-for.ts'

test.each([
  ['hfds://namenode/x', 'Did you mean hdfs:?'],
  ['flie:///x', 'Did you mean file:?'],
])('%s is a slip of the pen', (uri, hint) => {
  expect(() => fileSystemFor(uri)).toThrow(hint)
})

test('a scheme that is right and not there is only named', () => {
  expect(() => fileSystemFor('hdfs://namenode/x')).toThrow(
    /^No file system for 'hdfs:' \(hdfs:\/\/namenode\/x\)\. Known schemes: file/,
  )
})
