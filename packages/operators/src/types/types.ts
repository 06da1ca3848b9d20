import { describeValue } from '../functions/user-function-failure.ts'
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts'

type Path = readonly PropertyKey[]

/**
 * A declared type of values: says of a value whether it is one, and where it is not. Values are never changed. Made by
 * {@link Types}; it is a Standard Schema, as those of zod and others.
 * @example
 * const sale: TypeInformation<{ shop: string; cents: number }> = Types.OBJECT({ shop: Types.STRING, cents: Types.LONG })
 */
export interface TypeInformation<T> extends StandardSchema<T, T> {
  /** For messages: `a list of texts`. */
  readonly description: string
  /** What is wrong with `value`; undefined: nothing. The first thing that is found. */
  issue(value: unknown, path?: Path): SchemaIssue | undefined
}

/** The type that a {@link TypeInformation} declares. @example type Sale = TypeOf<typeof sale> */
export type TypeOf<I> = I extends TypeInformation<infer T> ? T : never

type Fields = Readonly<Record<string, TypeInformation<unknown>>>
type OptionalNames<F extends Fields> = {
  [N in keyof F]: undefined extends TypeOf<F[N]> ? N : never
}[keyof F]
type Shape<F extends Fields> = { [N in Exclude<keyof F, OptionalNames<F>>]: TypeOf<F[N]> } & {
  [N in OptionalNames<F>]?: TypeOf<F[N]>
}
type Flat<T> = { [N in keyof T]: T[N] }

function typeInformation<T>(
  description: string,
  issue: (value: unknown, path: Path) => SchemaIssue | undefined,
): TypeInformation<T> {
  const find = (value: unknown, path: Path = []): SchemaIssue | undefined => issue(value, path)
  return {
    description,
    issue: find,
    '~standard': {
      version: 1,
      vendor: 'flink-ts',
      validate: (value): SchemaResult<T> => {
        const found = find(value)
        return found === undefined ? { value: value as T } : { issues: [found] }
      },
    },
  }
}

function simple<T>(description: string, is: (value: unknown) => boolean): TypeInformation<T> {
  return typeInformation<T>(description, (value, path) =>
    is(value) ? undefined : expected(description, value, path),
  )
}

const expected = (description: string, value: unknown, path: Path): SchemaIssue => ({
  message: `expected ${description}, got ${describeValue(value)}`,
  path,
})

const integer = (bits: number): TypeInformation<number> => {
  const limit = 2 ** (bits - 1)
  return simple(
    `a whole number of ${bits} bits`,
    n => Number.isInteger(n) && (n as number) >= -limit && (n as number) < limit,
  )
}

/**
 * Declared types by Flink's names, for `returns`: every record is looked at, and the first one that does not fit fails the
 * job with its field and value.
 * @example
 * const sale = Types.OBJECT({ shop: Types.STRING, cents: Types.LONG, note: Types.OPTIONAL(Types.STRING) })
 * const sales = env.fromElements('{ "shop": "north", "cents": 120 }').map(line => JSON.parse(line)).returns(sale)
 */
export const Types = {
  STRING: simple<string>('a text', value => typeof value === 'string'),
  BOOLEAN: simple<boolean>('true or false', value => typeof value === 'boolean'),
  BYTE: integer(8),
  SHORT: integer(16),
  INT: integer(32),
  /** Whole numbers that a `number` holds exactly. */
  LONG: simple<number>('a whole number', Number.isSafeInteger),
  /** Any number, NaN too. */
  DOUBLE: simple<number>('a number', value => typeof value === 'number'),
  FLOAT: simple<number>('a number', value => typeof value === 'number'),
  BIG_INT: simple<bigint>('a bigint', value => typeof value === 'bigint'),
  /** A valid `Date`. */
  INSTANT: simple<Date>('a valid Date', value => value instanceof Date && !Number.isNaN(value.getTime())),
  BYTES: simple<Uint8Array>('a Uint8Array', value => value instanceof Uint8Array),
  VOID: simple<null>('null', value => value === null),
  /** Anything: not looked at. */
  GENERIC: simple<unknown>('anything', () => true),

  /** One of the given values. @example Types.ENUM('open', 'closed') */
  ENUM<const V extends readonly (string | number | boolean)[]>(...values: V): TypeInformation<V[number]> {
    const description = `one of ${values.map(value => JSON.stringify(value)).join(', ')}`
    return simple<V[number]>(description, value => values.includes(value as V[number]))
  },

  /** Undefined, or absent from an object, is allowed. */
  OPTIONAL<T>(type: TypeInformation<T>): TypeInformation<T | undefined> {
    return typeInformation(`${type.description}, or nothing`, (value, path) =>
      value === undefined ? undefined : type.issue(value, path),
    )
  },

  /** Null is allowed. */
  NULLABLE<T>(type: TypeInformation<T>): TypeInformation<T | null> {
    return typeInformation(`${type.description}, or null`, (value, path) =>
      value === null ? undefined : type.issue(value, path),
    )
  },

  /** An array of any length. */
  LIST<T>(element: TypeInformation<T>): TypeInformation<T[]> {
    const description = `a list of ${element.description}`
    return typeInformation(description, (value, path) => {
      if (!Array.isArray(value)) return expected(description, value, path)
      for (let i = 0; i < value.length; i++) {
        const found = element.issue(value[i], [...path, i])
        if (found !== undefined) return found
      }
      return undefined
    })
  },

  /** An array of this length, each place with a type of its own. @example Types.TUPLE(Types.STRING, Types.INT) */
  TUPLE<const E extends readonly TypeInformation<unknown>[]>(
    ...elements: E
  ): TypeInformation<{ -readonly [I in keyof E]: TypeOf<E[I]> }> {
    const description = `a tuple of ${elements.length}`
    return typeInformation(description, (value, path) => {
      if (!Array.isArray(value) || value.length !== elements.length) return expected(description, value, path)
      for (const [i, element] of elements.entries()) {
        const found = element.issue(value[i], [...path, i])
        if (found !== undefined) return found
      }
      return undefined
    })
  },

  /** A Map. */
  MAP<K, V>(key: TypeInformation<K>, value: TypeInformation<V>): TypeInformation<Map<K, V>> {
    const description = 'a Map'
    return typeInformation(description, (map, path) => {
      if (!(map instanceof Map)) return expected(description, map, path)
      for (const [name, held] of map) {
        const found = key.issue(name, [...path, 'a key']) ?? value.issue(held, [...path, String(name)])
        if (found !== undefined) return found
      }
      return undefined
    })
  },

  /** A plain object with at least these fields; others are left alone. */
  OBJECT<F extends Fields>(fields: F): TypeInformation<Flat<Shape<F>>> {
    const entries = Object.entries(fields)
    const description = 'an object'
    return typeInformation(description, (value, path) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return expected(description, value, path)
      for (const [name, type] of entries) {
        const found = type.issue((value as Record<string, unknown>)[name], [...path, name])
        if (found !== undefined) return found
      }
      return undefined
    })
  },

  /** What one of the types allows. */
  EITHER<L, R>(left: TypeInformation<L>, right: TypeInformation<R>): TypeInformation<L | R> {
    const description = `${left.description} or ${right.description}`
    return typeInformation(description, (value, path) => {
      if (left.issue(value) === undefined || right.issue(value) === undefined) return undefined
      return expected(description, value, path)
    })
  },
} as const
