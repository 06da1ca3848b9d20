import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfiguration, parseDynamicProperties } from './configuration-file.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'configuration-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function load(text: string, dynamic: Record<string, string> = {}) {
  writeFileSync(join(dir, 'flink-conf.yaml'), text)
  return loadConfiguration(dir, dynamic)
}

describe('loadConfiguration', () => {
  it('reads flat and nested keys as text', () => {
    const configuration = load(`# comment
rest.port: 8081
rest:
  address: localhost   # comment
  nested: { deep: "a: b" }
code: 0123
yes: on
version: 1.10
pairs: a;b
text: 'quoted # text'
`)
    expect(configuration.toRecord()).toEqual({
      'rest.port': '8081',
      'rest.address': 'localhost',
      'rest.nested.deep': 'a: b',
      code: '0123',
      yes: 'on',
      version: '1.10',
      pairs: 'a;b',
      text: 'quoted # text',
    })
    expect(configuration.source('rest.port')).toBe(join(dir, 'flink-conf.yaml'))
  })

  it('lets -D win', () => {
    const configuration = load('rest.port: 8081\nrest.address: localhost\n', { 'rest.port': '9' })
    expect(configuration.toRecord()).toEqual({ 'rest.port': '9', 'rest.address': 'localhost' })
    expect(configuration.source('rest.port')).toBe('-D')
  })

  it.each(['', '# nothing\n', '---\n'])('takes an empty file (%j)', text => {
    expect(load(text).toRecord()).toEqual({})
  })

  it.each([
    ['a: 1\nrest.port: 1\nrest.port: 2\n', 3, 'rest.port is set already in line 2'],
    ['rest.port: 1\nrest:\n  port: 2\n', 3, 'rest.port is set already in line 1'],
    ['a: 1\nb:\n  - x\n  - [y]\n', 2, 'b is a list'],
    ['a: 1\nb: [{ x: y }]\n', 2, 'b is a list'],
    ['a: 1\nb: []\n', 2, 'b has no value'],
    ['a: 1\nb:\n', 2, 'b has no value'],
    ['a: 1\n\n\tb: 2\n', 3, 'ab'],
    ['a: "open\n', 2, 'quote'],
    ['just a text\n', 1, "one 'key: value' a line"],
    ['a: &x 1\nb: *x\n', 2, 'references'],
  ])('names the line of a mistake: %j', (text, line, problem) => {
    expect(() => load(text)).toThrow(
      expect.objectContaining({
        code: 'common.configuration-invalid',
        message: expect.stringMatching(new RegExp(`flink-conf\\.yaml:${line}: .*${problem}`)),
      }),
    )
  })

  it("reads Flink 1.20's config.yaml, with lists, when there is no flink-conf.yaml", () => {
    const file = join(dir, 'config.yaml')
    writeFileSync(
      file,
      `jobmanager:
  bind-host: localhost
  rpc:
    address: localhost
    port: 6123
taskmanager:
  numberOfTaskSlots: 2
execution.checkpointing:
  interval: 3min
io.tmp.dirs: [/a, /b]
`,
    )
    const configuration = loadConfiguration(dir)
    expect(configuration.toRecord()).toEqual({
      'jobmanager.bind-host': 'localhost',
      'jobmanager.rpc.address': 'localhost',
      'jobmanager.rpc.port': '6123',
      'taskmanager.numberOfTaskSlots': '2',
      'execution.checkpointing.interval': '3min',
      'io.tmp.dirs': '/a;/b',
    })
    expect(configuration.source('jobmanager.rpc.port')).toBe(file)
    writeFileSync(join(dir, 'flink-conf.yml'), 'a: 1\n')
    expect(loadConfiguration(dir).toRecord()).toEqual({ a: '1' })
    expect(load('b: 2\n').toRecord()).toEqual({ b: '2' })
  })

  it('says where it looked for a missing file', () => {
    expect(() => loadConfiguration(join(dir, 'gone'))).toThrow(
      /gone\/flink-conf\.yaml.*ENOENT.*FLINK_CONF_DIR/,
    )
  })
})

describe('parseDynamicProperties', () => {
  it('splits at the first equals sign', () => {
    expect(parseDynamicProperties(['a=b=c', 'd=', 'a=z'])).toEqual({ a: 'z', d: '' })
  })

  it.each(['a', '=a', ''])('refuses %j', argument => {
    expect(() => parseDynamicProperties([argument])).toThrow('-Dkey=value')
  })
})
