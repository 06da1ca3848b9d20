import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Configuration } from './configuration.ts'
import {
  booleanType,
  durationType,
  enumType,
  formatDuration,
  integerFrom,
  integerType,
  memorySizeFrom,
  memorySizeType,
  option,
  parseDuration,
  parseMemorySize,
  storagePathType,
} from './option.ts'

test.each([
  ['10 s', 10_000],
  ['500ms', 500],
  ['2 min', 120_000],
  ['1 d', 86_400_000],
  ['250', 250],
  ['1.5 h', 5_400_000],
  ['ten', undefined],
  ['5 parsecs', undefined],
  ['-1 s', undefined],
])('duration %s is %s ms', (text, ms) => expect(parseDuration(text)).toBe(ms))

test('every duration is read as it was written', () => {
  fc.assert(fc.property(fc.nat(10 ** 9), ms => parseDuration(formatDuration(ms)) === ms))
})

test.each([
  ['1024m', 2 ** 30],
  ['64 mb', 2 ** 26],
  ['1 gb', 2 ** 30],
  ['10', 10],
  ['1.5 gb', undefined],
])('memory size %s is %s bytes', (text, bytes) => expect(parseMemorySize(text)).toBe(bytes))

test('an option reads its key, then its older names, then its default', () => {
  const port = option('rest.port', integerType, {
    defaultValue: 8081,
    description: '',
    deprecatedKeys: ['web.port'],
  })
  expect(Configuration.EMPTY.get(port)).toBe(8081)
  expect(Configuration.of({ 'web.port': '1' }).get(port)).toBe(1)
  expect(Configuration.of({ 'web.port': '1', 'rest.port': '2' }).get(port)).toBe(2)
  expect(
    Configuration.of({ 'rest.port': '2' })
      .with(Configuration.of({ 'rest.port': '3' }))
      .get(port),
  ).toBe(3)
})

test('a bad value says key, value and what is expected', () => {
  const timeout = option('heartbeat.timeout', durationType, { defaultValue: 1, description: '' })
  expect(() => Configuration.of({ 'heartbeat.timeout': 'soon' }).get(timeout)).toThrow(
    "'soon' is no valid value of heartbeat.timeout: give a duration such as 500 ms, 10 s, 5 min.",
  )
})

test('words of an enumeration are read whatever their case', () => {
  const mode = enumType('exactly-once', 'at-least-once')
  expect(mode.parse('EXACTLY_ONCE')).toBe('exactly-once')
  expect(mode.parse('twice')).toBeUndefined()
  expect(booleanType.parse('TRUE')).toBe(true)
  expect(memorySizeType.format(2 ** 21)).toBe('2 mb')
})

test('a number out of its range is refused with the range', () => {
  const slots = option('slots', integerFrom(1, 8), { defaultValue: 1, description: '' })
  const read = (text: string): number => Configuration.of({ slots: text }).get(slots)
  expect([read('1'), read('8')]).toEqual([1, 8])
  for (const text of ['0', '9', '-3', '1.5', 'x']) expect(() => read(text)).toThrowError(/from 1 to 8/)
})

test('a size out of its range is refused with the range, in the units people write', () => {
  const size = option('size', memorySizeFrom(16 * 1024, 64 * 2 ** 20), { defaultValue: 1, description: '' })
  const read = (text: string): number => Configuration.of({ size: text }).get(size)
  expect([read('16 kb'), read('64m')]).toEqual([16_384, 2 ** 26])
  for (const text of ['1', '100gb', '-1 mb', 'x'])
    expect(() => read(text)).toThrowError(/from 16 kb to 64 mb/)
})

test('bits are no unit of memory, whatever old manuals write', () => {
  expect(parseMemorySize('10485760b')).toBe(10_485_760)
  expect(parseMemorySize('10485760bit')).toBeUndefined()
})

test('a folder that several processes use is absolute', () => {
  for (const folder of [
    '/data',
    'file:///data',
    'file:/data',
    's3://bucket/x',
    'hdfs://nn:8020/x',
    'hdfs:///x',
    'C:\\data',
    '',
  ]) {
    expect(storagePathType.parse(folder)).toBe(folder)
  }
  for (const folder of ['data', './data', '../x', 'file:data', 'file://', 's3:x', 'hdfs:/x']) {
    expect(storagePathType.parse(folder), folder).toBeUndefined()
  }
})
