import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkFolder, checkNode } from './check-machine.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'check-machine-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test.each([
  ['24.8.0', 'ok'],
  ['24.21.0', 'ok'],
  ['26.0.0', 'ok'],
  ['24.7.9', 'problem'],
  ['20.19.0', 'problem'],
])('Node.js %s is %s', (version, level) => {
  expect(checkNode(version)).toMatchObject({ level, text: expect.stringContaining(version) })
})

test('a folder that can be written is well, and nothing stays in it', () => {
  mkdirSync(join(dir, 'here'))
  expect(checkFolder('logs', join(dir, 'here'), 'env.log.dir')).toMatchObject([
    { level: 'ok', about: 'logs' },
  ])
  expect(readdirSync(join(dir, 'here'))).toEqual([])
})

test('a folder that could be made is well, and is not made', () => {
  expect(checkFolder('logs', join(dir, 'a/b/c'), 'env.log.dir')).toMatchObject([{ level: 'ok' }])
  expect(existsSync(join(dir, 'a'))).toBe(false)
})

test.each(['file', 'file/below'])('what is a file, or lies below one, is a problem (%s)', path => {
  writeFileSync(join(dir, 'file'), '')
  expect(checkFolder('logs', join(dir, path), 'env.log.dir')).toEqual([
    {
      level: 'problem',
      about: 'logs',
      text: `${join(dir, 'file')} is no folder.`,
      remedy: 'Set env.log.dir to a folder.',
    },
  ])
})
