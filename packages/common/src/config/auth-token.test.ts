import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { authTokenOf, isAuthToken, isLoopback } from './auth-token.ts'
import { Configuration } from './configuration.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'auth-token-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const read = (file: string) => authTokenOf(Configuration.of({ 'security.auth.token-file': file }))

test('the token is the one line of its file; without a file there is none', () => {
  expect(authTokenOf(Configuration.EMPTY)).toBeUndefined()
  const file = join(dir, 'token')
  writeFileSync(file, `${'a1'.repeat(16)}\n`)
  expect(read(file)).toBe('a1'.repeat(16))
})

test.each([
  ['', '0 characters'],
  ['short', '5 characters'],
  ['0123456789 abcdefgh', 'spaces'],
  ['0123456789abcdef\nsecond line', 'lines'],
])('%j is no token', (content, reason) => {
  const file = join(dir, 'token')
  writeFileSync(file, content)
  expect(() => read(file)).toThrow(
    expect.objectContaining({ code: 'common.auth-token-unusable', message: expect.stringContaining(reason) }),
  )
})

test('a file that is not there is named', () => {
  expect(() => read(join(dir, 'gone'))).toThrow(/gone \(security\.auth\.token-file\).*ENOENT/)
})

test('tokens are equal or not, whatever their lengths', () => {
  expect(isAuthToken('abc', 'abc')).toBe(true)
  for (const other of ['', 'ab', 'abd', 'abcd']) expect(isAuthToken(other, 'abc')).toBe(false)
})

test('loopback is this machine only', () => {
  for (const host of ['localhost', '127.0.0.1', '127.3.2.1', '::1']) expect(isLoopback(host)).toBe(true)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'localhost.example.org', '127.0.0.1.example.org', '']) {
    expect(isLoopback(host), host).toBe(false)
  }
})
