import { defineError } from '../errors/flink-error.ts'

/** The value of a configuration key is not of its type. */
export const InvalidOptionValue = defineError<{ key: string; value: string; expected: string }>({
  code: 'common.invalid-option-value',
  domain: 'user',
  retry: 'no',
  message: d => `'${d.value}' is no valid value of ${d.key}: give ${d.expected}.`,
})

/** How values of one type are read from text and written as text. */
export interface OptionType<T> {
  /** In words, for messages and reference pages: `a duration such as 500 ms, 10 s, 5 min`. */
  readonly expected: string
  /** Returns undefined if `text` is not of this type. */
  parse(text: string): T | undefined
  format(value: T): string
}

/** One documented configuration key. The same declaration feeds files, `-D`, help and reference pages. */
export interface ConfigOption<T> {
  readonly key: string
  readonly type: OptionType<T>
  readonly defaultValue: T
  readonly description: string
  /** Older names, the newest first: still read, with a warning. */
  readonly deprecatedKeys: readonly string[]
}

/** Declares a configuration key. Use Flink's key where Flink has one. */
export function option<T>(
  key: string,
  type: OptionType<T>,
  rest: { defaultValue: NoInfer<T>; description: string; deprecatedKeys?: readonly string[] },
): ConfigOption<T> {
  return { key, type, deprecatedKeys: [], ...rest }
}

const DURATION_UNITS: Record<string, number> = {
  ms: 1,
  milli: 1,
  millis: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  sec: 1000,
  secs: 1000,
  second: 1000,
  seconds: 1000,
  m: 60_000,
  min: 60_000,
  mins: 60_000,
  minute: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hour: 3_600_000,
  hours: 3_600_000,
  d: 86_400_000,
  day: 86_400_000,
  days: 86_400_000,
}

/** `'10 s'`, `'500ms'`, `'2 min'`, `'1 d'`; a plain number is milliseconds. Undefined if it is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text)
  if (match === null) return undefined
  const unit = match[2] === '' ? 1 : DURATION_UNITS[(match[2] as string).toLowerCase()]
  return unit === undefined ? undefined : Number(match[1]) * unit
}

/** The shortest exact text of a duration in milliseconds: 60000 gives `1 min`. */
export function formatDuration(ms: number): string {
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
  ] as const) {
    if (ms >= size && ms % size === 0) return `${ms / size} ${unit}`
  }
  return `${ms} ms`
}

const MEMORY_UNITS: Record<string, number> = {
  b: 1,
  bytes: 1,
  k: 1024,
  kb: 1024,
  kibibytes: 1024,
  m: 2 ** 20,
  mb: 2 ** 20,
  mebibytes: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
  gibibytes: 2 ** 30,
  t: 2 ** 40,
  tb: 2 ** 40,
  tebibytes: 2 ** 40,
}

/** `'1024m'`, `'64 mb'`, `'1 gb'`; a plain number is bytes. Undefined if it is none of these. */
export function parseMemorySize(text: string): number | undefined {
  const match = /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(text)
  if (match === null) return undefined
  const unit = match[2] === '' ? 1 : MEMORY_UNITS[(match[2] as string).toLowerCase()]
  return unit === undefined ? undefined : Number(match[1]) * unit
}

/** The shortest exact text of a size in bytes: 65536 gives `64 kb`. */
function formatMemorySize(bytes: number): string {
  for (const [unit, size] of [
    ['gb', 2 ** 30],
    ['mb', 2 ** 20],
    ['kb', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`
  }
  return `${bytes} b`
}

/** Milliseconds. */
export const durationType: OptionType<number> = {
  expected: 'a duration such as 500 ms, 10 s, 5 min',
  parse: parseDuration,
  format: formatDuration,
}

/** Bytes. */
export const memorySizeType: OptionType<number> = {
  expected: 'a memory size such as 64 mb, 1024m, 1 gb',
  parse: parseMemorySize,
  format: formatMemorySize,
}

/** Bytes, from `least` to `most`. */
export function memorySizeFrom(least: number, most: number): OptionType<number> {
  return {
    expected: `a memory size from ${formatMemorySize(least)} to ${formatMemorySize(most)}`,
    parse: text => {
      const value = parseMemorySize(text)
      return value !== undefined && value >= least && value <= most ? value : undefined
    },
    format: formatMemorySize,
  }
}

/** A whole number. */
export const integerType: OptionType<number> = {
  expected: 'a whole number',
  parse: text => (/^\s*-?\d+\s*$/.test(text) ? Number(text) : undefined),
  format: String,
}

/** A whole number from `least` to `most`. */
export function integerFrom(least: number, most = Number.MAX_SAFE_INTEGER): OptionType<number> {
  return {
    expected: `a whole number from ${least}${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ''}`,
    parse: text => {
      const value = integerType.parse(text)
      return value !== undefined && value >= least && value <= most ? value : undefined
    },
    format: String,
  }
}

/** A port; 0: any free one. */
export const portType: OptionType<number> = integerFrom(0, 65_535)

/** true or false. */
export const booleanType: OptionType<boolean> = {
  expected: 'true or false',
  parse: text => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined),
  format: String,
}

/** Any text. */
export const stringType: OptionType<string> = { expected: 'a text', parse: text => text, format: String }

/** A folder that several processes use: a relative path would be another folder in each. Empty: none. */
export const storagePathType: OptionType<string> = {
  expected: 'an absolute path such as /data/flink, or a URI such as file:///data/flink',
  parse: text => {
    const path = text.trim()
    const isUri = /^(?!file:)[a-z][a-z0-9+.-]+:\/\/./i.test(path) || /^file:\/{1,3}[^/]/i.test(path)
    return path === '' || isUri || /^(\/|[a-z]:[\\/])/i.test(path) ? path : undefined
  },
  format: String,
}

/** One of the given words; case and `_` against `-` do not matter. */
export function enumType<const T extends string>(...values: readonly T[]): OptionType<T> {
  const normal = (text: string): string => text.trim().toLowerCase().replaceAll('_', '-')
  return {
    expected: `one of ${values.join(', ')}`,
    parse: text => values.find(value => normal(value) === normal(text)),
    format: String,
  }
}
