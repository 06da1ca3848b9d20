import { readFileSync } from 'node:fs'
import { currentExecutionContext } from '@flink-ts/jobgraph'
import { InvalidArgument, MissingParameter } from '../errors.ts'

/** Value of `--flag` without one. */
const NO_VALUE = 'true'

/**
 * Parameters of a program: from its arguments, a properties file, the environment, or a plain object. What comes later
 * in {@link ParameterTool.mergeWith} wins.
 * @example
 * const parameters = ParameterTool.fromArgs(env.args)
 * env.getConfig().setGlobalJobParameters(parameters)
 * const host = parameters.get('hostname', 'localhost')
 * const port = parameters.getInt('port')
 */
export class ParameterTool {
  readonly #values: ReadonlyMap<string, string>

  private constructor(values: Iterable<readonly [string, string]>) {
    this.#values = new Map(values)
  }

  /**
   * `--name value`, `-name value` or `--name=value`; a name without a value means `true`. Negative numbers are values.
   * @throws streaming.invalid-argument at what is neither a name nor a value
   */
  static fromArgs(args: readonly string[]): ParameterTool {
    const values = new Map<string, string>()
    for (let i = 0; i < args.length; ) {
      const argument = args[i++] as string
      const [, name, value] = /^--?([^-=\s\d][^=\s]*)(?:=(.*))?$/s.exec(argument) ?? []
      if (name === undefined) {
        throw InvalidArgument({
          call: 'ParameterTool.fromArgs',
          value: JSON.stringify(argument),
          expected: 'names with - or -- before them, each followed by its value',
        })
      }
      const next = args[i]
      if (value !== undefined) values.set(name, value)
      else if (next === undefined || /^--?[^-\s\d]/.test(next)) values.set(name, NO_VALUE)
      else {
        values.set(name, next)
        i++
      }
    }
    return new ParameterTool(values)
  }

  /** The properties of an object; numbers and booleans are taken as text. */
  static fromMap(values: Readonly<Record<string, string | number | boolean>>): ParameterTool {
    return new ParameterTool(Object.entries(values).map(([name, value]) => [name, String(value)]))
  }

  /**
   * A file of `name=value` or `name: value` lines; `#` and `!` begin comments. It is read once, when the job is planned:
   * the file need not be there on the hosts of the cluster.
   */
  static fromPropertiesFile(path: string): ParameterTool {
    const text = currentExecutionContext().capture(`properties file ${path}`, () =>
      readFileSync(path, 'utf8'),
    )
    return new ParameterTool(parseProperties(text))
  }

  /** Environment variables of these names, those that are set. */
  static fromEnvironment(names: readonly string[]): ParameterTool {
    const values = names.map(name => [name, process.env[name]] as const)
    return new ParameterTool(
      values.filter((entry): entry is readonly [string, string] => entry[1] !== undefined),
    )
  }

  /** These and those of `other`, which win. */
  mergeWith(other: ParameterTool): ParameterTool {
    return new ParameterTool([...this.#values, ...other.#values])
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  get size(): number {
    return this.#values.size
  }

  get(name: string): string | undefined
  get(name: string, defaultValue: string): string
  get(name: string, defaultValue?: string): string | undefined {
    return this.#values.get(name) ?? defaultValue
  }

  /** @throws streaming.missing-parameter */
  getRequired(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined) throw MissingParameter({ name, given: [...this.#values.keys()].join(', ') })
    return value
  }

  /** A whole number. @throws streaming.missing-parameter without a default, streaming.invalid-argument */
  getInt(name: string, defaultValue?: number): number {
    return this.#number(name, defaultValue, 'a whole number', Number.isSafeInteger)
  }

  /** The same as {@link ParameterTool.getInt}: whole numbers up to 2^53. */
  getLong(name: string, defaultValue?: number): number {
    return this.getInt(name, defaultValue)
  }

  /** A number. @throws streaming.missing-parameter without a default, streaming.invalid-argument */
  getDouble(name: string, defaultValue?: number): number {
    return this.#number(name, defaultValue, 'a number', Number.isFinite)
  }

  /** `true` or `false`; a name without a value is true. @throws streaming.missing-parameter, streaming.invalid-argument */
  getBoolean(name: string, defaultValue?: boolean): boolean {
    const value = this.#values.get(name)
    if (value === undefined && defaultValue !== undefined) return defaultValue
    const text = this.getRequired(name).toLowerCase()
    if (text === 'true' || text === 'false') return text === 'true'
    throw InvalidArgument({
      call: `The parameter ${name}`,
      value: JSON.stringify(value),
      expected: 'true or false',
    })
  }

  /** As a plain object. */
  toMap(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#values)
  }

  #number(
    name: string,
    defaultValue: number | undefined,
    expected: string,
    isValid: (value: number) => boolean,
  ): number {
    const text = this.#values.get(name)
    if (text === undefined && defaultValue !== undefined) return defaultValue
    const value = this.getRequired(name).trim() === '' ? Number.NaN : Number(text)
    if (isValid(value)) return value
    throw InvalidArgument({ call: `The parameter ${name}`, value: JSON.stringify(text), expected })
  }
}

function parseProperties(text: string): [string, string][] {
  const lines = text.replaceAll(/\\\r?\n\s*/g, '').split(/\r?\n/)
  return lines
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#') && !line.startsWith('!'))
    .map(line => {
      const [, name = line, value = ''] = /^([^=:\s]+)\s*[=:\s]\s*(.*)$/s.exec(line) ?? []
      return [name, value]
    })
}
