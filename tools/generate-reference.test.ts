import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const OPTION = `const option = (key, type, rest) => ({ key, type, deprecatedKeys: [], ...rest })
const text = { expected: 'a text', format: String }
`
const ERROR = `const defineError = <T>(description: T) => description
`
let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'flink-reference-'))
  write('architecture.json', '{ "a": [], "b": ["a"] }')
  write('package.json', '{ "type": "module" }')
  write(
    'packages/a/src/a-options.ts',
    `${OPTION}export const KEYS = {
  host: option('a.host', text, { defaultValue: 'x|y', description: 'Where <a> is.', deprecatedKeys: ['a.old'] }),
}
export const NONE = option('a.none', text, { defaultValue: undefined, description: 'Nothing.' })
export const read = () => [KEYS.host, NONE]
`,
  )
  write(
    'packages/b/src/errors.ts',
    `${ERROR}/** It broke. */
export const Broken = defineError<{ part: string; count: number }>({
  code: 'b.broken', domain: 'external', retry: 'backoff',
  message: d => \`\${d.part} broke \` + (d.count > 1 ? \`\${d.count} times\` : 'once') + '.',
})
`,
  )
})

afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

const generate = (...args: string[]) => {
  const { status, stderr } = spawnSync(process.execPath, [resolve('tools/generate-reference.ts'), ...args], {
    cwd: root,
    encoding: 'utf8',
  })
  return { status, problems: stderr.split('\n').filter(line => line !== '') }
}
const page = (name: string): string => readFileSync(join(root, 'docs/reference', name), 'utf8')

it('writes what is declared, and tells when a page is out of date', () => {
  expect(generate('--check').problems).toEqual([
    'docs/reference/errors.md is out of date: run npm run generate',
    'docs/reference/configuration.md is out of date: run npm run generate',
    'packages/common/data/options.json is out of date: run npm run generate',
  ])
  expect(generate()).toEqual({ status: 0, problems: [] })
  expect(page('errors.md')).toContain(
    '| `b.broken` | external | backoff | It broke.<br>`{part} broke [{count} times \\| once].` |',
  )
  expect(page('configuration.md')).toContain(
    '| `a.host` | `x\\|y` | a text | Where &lt;a> is.<br>Older names: `a.old`. |',
  )
  expect(page('configuration.md')).toContain('| `a.none` | (none) | a text | Nothing. |')
  expect(generate('--check')).toEqual({ status: 0, problems: [] })
})

it('refuses what is declared twice, not exported, not read, or named wrongly', () => {
  write(
    'packages/b/src/b-options.ts',
    `${OPTION}export const HOST = option('a.old', text, { defaultValue: '', description: '' })
const HIDDEN = option('b.hidden', text, { defaultValue: '', description: '' })
export const read = () => [HIDDEN]
`,
  )
  write(
    'packages/a/src/errors.ts',
    `${ERROR}export const Broken = defineError({ code: 'b.broken', domain: 'user', retry: 'no', message: () => 'x' })
`,
  )
  const { status, problems } = generate()
  expect(status).toBe(1)
  expect(problems).toEqual([
    'b.broken is declared in a: its code must begin so.',
    'packages/b/src/b-options.ts: nothing reads the option HOST: remove it.',
    'packages/b/src/b-options.ts declares 2 options and exports 1: export all of them.',
    'The error code b.broken is declared in a and in b: declare it once, where both see it.',
    'The option a.old is declared in a and in b: declare it once, where both see it.',
  ])
})
