import { expect, test } from 'vitest'
import { FileNotFound, toFileSystemError } from './errors.ts'

test.each([
  ['ENOENT', 'filesystem.not-found', 'no'],
  ['EEXIST', 'filesystem.already-exists', 'no'],
  ['EACCES', 'filesystem.access-denied', 'no'],
  ['EROFS', 'filesystem.access-denied', 'no'],
  ['ENOSPC', 'filesystem.io', 'backoff'],
  ['EWHATEVER', 'filesystem.io', 'backoff'],
])('%s', (code, ours, retry) => {
  const cause = Object.assign(new Error(`${code}: bad`), { code })
  const error = toFileSystemError(cause, 'write', 'file:///a')
  expect(error).toMatchObject({ code: ours, retry, cause })
  expect((error as Error).message).toContain('write file:///a')
})

test('errors that are ours already pass unchanged, and so does what has no code', () => {
  const ours = FileNotFound({ uri: 'file:///a', operation: 'read' })
  expect(toFileSystemError(ours, 'write', 'file:///b')).toBe(ours)
  const bug = new TypeError('x')
  expect(toFileSystemError(bug, 'write', 'file:///b')).toBe(bug)
})
