import { type Configuration, explainKey, knownOptions } from '@flink-ts/common'
import { looksLikeSecret } from '@flink-ts/jobgraph'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatTable } from '../format.ts'
import type { SessionOptions } from '../session.ts'
import { configurationFor } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface ConfigExplainOptions extends SessionOptions {
  readonly json?: boolean
}

/** What stands in place of the value of a key that looks like a secret. */
const MASKED = '******'

/**
 * `flink config explain [key]`: what a key means, its value here and where that comes from; without a key all options
 * that are set. Answers the exit code: an unknown key is wrong usage.
 */
export async function configExplainCommand(
  key: string | undefined,
  options: ConfigExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const configuration = configurationFor(options, terminal)
  if (key === undefined) {
    printAll(configuration, options.json === true, terminal)
    return EXIT_CODES.ok
  }
  const explanation = explainKey(key)
  const set = shownValue(configuration, key)
  if (options.json === true) {
    terminal.print(JSON.stringify({ key, ...explanation, ...set }, null, 2))
    return explanation.kind === 'unknown' ? EXIT_CODES.usage : EXIT_CODES.ok
  }
  switch (explanation.kind) {
    case 'unknown': {
      const hint = explanation.nearest === undefined ? '' : ` Did you mean ${explanation.nearest}?`
      terminal.complain(`${key} is no key of flink-ts or Apache Flink.${hint}`)
      return EXIT_CODES.usage
    }
    case 'without-effect':
      terminal.print(`${key} is a key of Apache Flink that has no effect here: ${explanation.reason}.`)
      break
    case 'option': {
      const { option, byOlderName } = explanation
      terminal.print(`${option.key}${byOlderName ? ` (${key} is an older name)` : ''}`)
      terminal.print(`  ${option.description}`)
      terminal.print(`  Value: ${option.expected}`)
      terminal.print(`  Default: ${option.defaultValue === '' ? '(none)' : option.defaultValue}`)
      if (option.deprecatedKeys.length > 0) {
        terminal.print(`  Older names: ${option.deprecatedKeys.join(', ')}`)
      }
    }
  }
  terminal.print(set === undefined ? '  Not set here.' : `  Set here: ${set.value} (${set.source})`)
  return EXIT_CODES.ok
}

function printAll(configuration: Configuration, json: boolean, terminal: Terminal): void {
  const entries = configuration.keys().map(key => ({ key, ...shownValue(configuration, key) }))
  if (json) terminal.print(JSON.stringify(entries, null, 2))
  else if (entries.length > 0) {
    const rows = entries.map(({ key, value = '', source = '' }) => [key, value, source])
    for (const line of formatTable([['KEY', 'VALUE', 'FROM'], ...rows])) terminal.print(line)
  }
  if (!json) {
    terminal.print(
      `${knownOptions().length} options are known: flink config explain <key> explains one, docs/reference/configuration.md lists them.`,
    )
  }
}

function shownValue(
  configuration: Configuration,
  key: string,
): { value: string; source: string } | undefined {
  const value = configuration.toRecord()[key]
  if (value === undefined) return undefined
  return { value: looksLikeSecret(key) ? MASKED : value, source: configuration.source(key) ?? '' }
}
