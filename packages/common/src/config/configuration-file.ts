import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { defineError } from '../errors/flink-error.ts'
import { Configuration } from './configuration.ts'

/** Names of the configuration file in its folder; the first one found is read, as in Flink. */
export const CONFIGURATION_FILES = ['flink-conf.yaml', 'flink-conf.yml', 'config.yaml'] as const

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
 * The configuration of a process: `flink-conf.yaml` or `config.yaml` in `dir`, and over it `dynamicProperties` (`-D`). Keys may be
 * written flat (`rest.port: 8081`) or nested. All values are text, as written. Throws `common.configuration-*`
 * with file and line for bad syntax, duplicate keys, lists of anything but texts and keys without a value. A list is
 * read as its elements, separated by `;`.
 * @param dir folder of the file; undefined: no file
 */
export function loadConfiguration(
  dir: string | undefined,
  dynamicProperties: Readonly<Record<string, string>> = {},
): Configuration {
  const fromArguments = Configuration.of(dynamicProperties, '-D')
  if (dir === undefined) return fromArguments
  const file = configurationFile(dir) ?? join(dir, CONFIGURATION_FILES[0])
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

/** The configuration file in `dir`; undefined: there is none. */
export function configurationFile(dir: string): string | undefined {
  return CONFIGURATION_FILES.map(name => join(dir, name)).find(file => existsSync(file))
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

function isTextList(value: unknown): value is YAMLSeq<Scalar> {
  return isSeq(value) && value.items.every(item => isScalar(item))
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
      if (value !== null && !isScalar(value) && !isTextList(value)) {
        refuse(
          at,
          `${name} is a list of something else than texts: write its elements on one line, separated by ';'.`,
        )
      }
      const isEmpty = isScalar(value) ? value.source === '' : value === null || value.items.length === 0
      if (value === null || isEmpty) {
        refuse(at, `${name} has no value: remove the line or write ${name}: value.`)
      }
      const first = lineOf.get(name)
      if (first !== undefined) refuse(at, `${name} is set already in line ${first}.`)
      lineOf.set(name, lines.linePos(at).line)
      values[name] = isScalar(value)
        ? String(value.value)
        : value.items.map(item => String(item.value)).join(';')
    }
  }
  collect(root, '')
  return Configuration.of(values, file)
}
