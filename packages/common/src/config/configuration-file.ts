import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlias, isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml'
import { defineError } from '../errors/flink-error.ts'
import { Configuration } from './configuration.ts'

/** Name of the configuration file in its folder. */
const CONFIGURATION_FILE = 'flink-conf.yaml'

/** The configuration file is not there or cannot be read. */
const ConfigurationUnreadable = defineError<{ file: string; reason: string }>({
  code: 'common.configuration-unreadable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The configuration file ${d.file} cannot be read (${d.reason}): set FLINK_CONF_DIR to its folder.`,
})

/** A line of the configuration file is wrong. */
const ConfigurationInvalid = defineError<{ file: string; line: number; problem: string }>({
  code: 'common.configuration-invalid',
  domain: 'user',
  retry: 'no',
  message: d => `${d.file}:${d.line}: ${d.problem}`,
})

/** A `-D` argument is no `key=value`. */
const DynamicPropertyInvalid = defineError<{ argument: string }>({
  code: 'common.dynamic-property-invalid',
  domain: 'user',
  retry: 'no',
  message: d => `-D${d.argument}: write -Dkey=value, such as -Dparallelism.default=4.`,
})

/**
 * The configuration of a process: `flink-conf.yaml` in `dir`, and over it `dynamicProperties` (`-D`). Keys may be
 * written flat (`rest.port: 8081`) or nested. All values are text, as written. Throws `common.configuration-*`
 * with file and line for bad syntax, duplicate keys, lists and keys without a value.
 * @param dir folder of the file; undefined: no file
 */
export function loadConfiguration(
  dir: string | undefined,
  dynamicProperties: Readonly<Record<string, string>> = {},
): Configuration {
  const fromArguments = Configuration.of(dynamicProperties, '-D')
  if (dir === undefined) return fromArguments
  const file = join(dir, CONFIGURATION_FILE)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw ConfigurationUnreadable(
      { file, reason: (error as NodeJS.ErrnoException).code ?? String(error) },
      error,
    )
  }
  return parseConfiguration(text, file).with(fromArguments)
}

/** Turns the `key=value` texts of `-D` arguments into a record; a later one wins. Throws `common.dynamic-property-invalid`. */
export function parseDynamicProperties(args: readonly string[]): Record<string, string> {
  const properties: Record<string, string> = {}
  for (const argument of args) {
    const at = argument.indexOf('=')
    if (at <= 0) throw DynamicPropertyInvalid({ argument })
    properties[argument.slice(0, at).trim()] = argument.slice(at + 1).trim()
  }
  return properties
}

/** @param file named in messages and as source of the entries */
function parseConfiguration(text: string, file: string): Configuration {
  const lines = new LineCounter()
  // The failsafe schema: `on`, `0123` and `1.10` stay the text they are.
  const document = parseDocument(text, {
    schema: 'failsafe',
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
  })
  const refuse: (offset: number, problem: string) => never = (offset, problem) => {
    throw ConfigurationInvalid({ file, line: lines.linePos(offset).line, problem })
  }
  const [error] = document.errors
  if (error !== undefined)
    refuse(error.pos[0], `${error.message.replace(/\.?$/, '.')} Write one 'key: value' a line.`)
  const root = document.contents
  if (root === null || (isScalar(root) && root.value === '')) return Configuration.EMPTY
  if (!isMap(root)) refuse(root.range?.[0] ?? 0, "Write one 'key: value' a line.")

  const values: Record<string, string> = {}
  const lineOf = new Map<string, number>()
  const collect = (map: YAMLMap, prefix: string): void => {
    for (const { key, value } of map.items) {
      const at = (isScalar(key) ? key.range?.[0] : undefined) ?? map.range?.[0] ?? 0
      if (!isScalar(key) || String(key.value).trim() === '') refuse(at, 'A key must be a text.')
      const name = prefix + String(key.value)
      if (isMap(value)) {
        collect(value, `${name}.`)
        continue
      }
      if (isAlias(value)) refuse(at, `${name}: references (*) are not supported.`)
      if (value !== null && !isScalar(value)) {
        refuse(at, `${name} is a list: write its elements on one line, separated by ';'.`)
      }
      if (value === null || (value as { source?: string }).source === '') {
        refuse(at, `${name} has no value: remove the line or write ${name}: value.`)
      }
      const first = lineOf.get(name)
      if (first !== undefined) refuse(at, `${name} is set already in line ${first}.`)
      lineOf.set(name, lines.linePos(at).line)
      values[name] = String((value as { value: unknown }).value)
    }
  }
  collect(root, '')
  return Configuration.of(values, file)
}
