import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { planned } from '../graph/fake-context.ts'
import { ParameterTool } from './parameter-tool.ts'

describe('arguments', () => {
  test.each<[string[], Record<string, string>]>([
    [['--hostname', 'hadoop1', '--port', '8888'], { hostname: 'hadoop1', port: '8888' }],
    [['-input', 'a b', '--verbose'], { input: 'a b', verbose: 'true' }],
    [['--shift', '-12', '--rate', '-0.5'], { shift: '-12', rate: '-0.5' }],
    [['--a=1', '--b=', '--c=x=y'], { a: '1', b: '', c: 'x=y' }],
    [['--fast', '--slow', 'no'], { fast: 'true', slow: 'no' }],
    [['--file', '--', '--x', '-'], { file: '--', x: '-' }],
    [['--n', '1', '--n', '2'], { n: '2' }],
    [[], {}],
  ])('%j', (args, values) => {
    expect(ParameterTool.fromArgs(args).toMap()).toEqual(values)
  })

  test.each([['input'], ['--'], ['-1'], ['---x']])('%s is no name', argument => {
    expect(() => ParameterTool.fromArgs([argument])).toThrow(
      `${JSON.stringify(argument)}: give names with - or --`,
    )
  })
})

test('values of all types, with defaults', () => {
  const parameters = ParameterTool.fromMap({ n: 12, rate: 0.5, on: true, off: 'FALSE', name: 'x', empty: '' })
  expect(parameters.getInt('n')).toBe(12)
  expect(parameters.getLong('absent', 7)).toBe(7)
  expect(parameters.getDouble('rate')).toBe(0.5)
  expect([
    parameters.getBoolean('on'),
    parameters.getBoolean('off'),
    parameters.getBoolean('absent', true),
  ]).toEqual([true, false, true])
  expect(parameters.get('absent')).toBeUndefined()
  expect(parameters.get('absent', 'y')).toBe('y')
  expect([parameters.has('name'), parameters.has('absent'), parameters.size]).toEqual([true, false, 6])
  expect(() => parameters.getInt('rate')).toThrow('The parameter rate got "0.5": give a whole number.')
  expect(() => parameters.getDouble('empty')).toThrow('give a number')
  expect(() => parameters.getBoolean('n')).toThrow('give true or false')
  expect(() => parameters.getRequired('topic')).toThrow(/--topic.*n, rate, on, off, name, empty/)
  expect(() => parameters.getInt('topic')).toThrow(
    expect.objectContaining({ code: 'streaming.missing-parameter' }),
  )
})

test('later ones win, files and the environment are sources too', () =>
  planned(env => {
    const folder = mkdtempSync(join(tmpdir(), 'parameters-'))
    try {
      const file = join(folder, 'job.properties')
      writeFileSync(file, '# comment\n! another\nhost = a\nport: 1\nlong = one \\\n  two\nflag\n\n')
      const fromFile = ParameterTool.fromPropertiesFile(file)
      expect(fromFile.toMap()).toEqual({ host: 'a', port: '1', long: 'one two', flag: '' })
      process.env['FLINK_TS_TEST_PARAMETER'] = 'set'
      const fromEnvironment = ParameterTool.fromEnvironment(['FLINK_TS_TEST_PARAMETER', 'FLINK_TS_TEST_NONE'])
      expect(fromEnvironment.toMap()).toEqual({ FLINK_TS_TEST_PARAMETER: 'set' })
      const merged = fromFile.mergeWith(ParameterTool.fromArgs(['--port', '2']))
      expect([merged.getInt('port'), merged.get('host')]).toEqual([2, 'a'])
      env.getConfig().setGlobalJobParameters(merged)
      expect(env.getConfig().getGlobalJobParameters()['port']).toBe('2')
    } finally {
      delete process.env['FLINK_TS_TEST_PARAMETER']
      rmSync(folder, { recursive: true })
    }
  }))
