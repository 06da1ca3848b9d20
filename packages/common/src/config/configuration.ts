import { type ConfigOption, InvalidOptionValue } from './option.ts'

/** Where a value came from, for `config explain` and messages: a file, `-D`, the job. */
export type ConfigurationSource = string

/** An immutable set of keys with text values; later sources win. Read through options only. */
export class Configuration {
  static readonly EMPTY = new Configuration(new Map())
  readonly #entries: ReadonlyMap<string, { value: string; source: ConfigurationSource }>

  private constructor(entries: ReadonlyMap<string, { value: string; source: ConfigurationSource }>) {
    this.#entries = entries
  }

  static of(values: Readonly<Record<string, string>>, source: ConfigurationSource = 'code'): Configuration {
    return new Configuration(new Map(Object.entries(values).map(([key, value]) => [key, { value, source }])))
  }

  /** This configuration with `other` over it. */
  with(other: Configuration): Configuration {
    return new Configuration(new Map([...this.#entries, ...other.#entries]))
  }

  /** The value of `option`: its key, else its older names, else its default. Throws `common.invalid-option-value`. */
  get<T>(option: ConfigOption<T>): T {
    const found = this.#find(option)
    if (found === undefined) return option.defaultValue
    const value = option.type.parse(found.value)
    if (value === undefined) {
      throw InvalidOptionValue({ key: found.key, value: found.value, expected: option.type.expected })
    }
    return value
  }

  has(option: ConfigOption<unknown>): boolean {
    return this.#find(option) !== undefined
  }

  /** This configuration with one value set. */
  set<T>(option: ConfigOption<T>, value: T, source: ConfigurationSource = 'code'): Configuration {
    return this.with(Configuration.of({ [option.key]: option.type.format(value) }, source))
  }

  keys(): readonly string[] {
    return [...this.#entries.keys()]
  }

  source(key: string): ConfigurationSource | undefined {
    return this.#entries.get(key)?.source
  }

  /** All entries as plain data, for messages. */
  toRecord(): Record<string, string> {
    return Object.fromEntries([...this.#entries].map(([key, { value }]) => [key, value]))
  }

  #find(option: ConfigOption<unknown>): { key: string; value: string } | undefined {
    for (const key of [option.key, ...option.deprecatedKeys]) {
      const entry = this.#entries.get(key)
      if (entry !== undefined) return { key, value: entry.value }
    }
    return undefined
  }
}
