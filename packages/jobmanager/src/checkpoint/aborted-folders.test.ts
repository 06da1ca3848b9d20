import { expect, it } from 'vitest'
import { AbortedFolders } from './aborted-folders.ts'

it('remembers the latest folders only, and those that are being written', () => {
  const folders = new AbortedFolders()
  expect(folders.add(1, 'savepoint', true)).toEqual([])
  for (let id = 2; id <= 5000; id++) folders.add(id, undefined, false)
  expect(folders.late(2)).toEqual([])
  expect(folders.late(5000)).toEqual([{ type: 'discard', checkpointId: 5000 }])
  const left = folders.all().map(({ checkpointId }) => checkpointId)
  expect([left.length, left[0], left.at(-1)]).toEqual([999, 4002, 5000])
  expect(folders.writingEnded(1)).toEqual([{ type: 'discard', checkpointId: 1, savepoint: 'savepoint' }])
})
