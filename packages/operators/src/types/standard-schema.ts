/** Something that a schema found wrong. */
export interface SchemaIssue {
  readonly message: string
  /** The way to it, field by field; absent: the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema says of a value: the value as it is to go on, or what is wrong with it. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] }

/**
 * A schema of any library that speaks Standard Schema 1 (standardschema.dev), as zod, valibot and arktype do, and `Types`.
 * @example
 * const schema: StandardSchema<unknown, number> = Types.INT
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** The library. */
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** For the compiler alone. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** A path as it is written: `lines[2].price`; the empty one: `the record itself`. */
export function pathText(path: SchemaIssue['path'] = []): string {
  let text = ''
  for (const step of path) {
    const key = typeof step === 'object' ? step.key : step
    if (typeof key === 'number') text += `[${key}]`
    else text += text === '' ? String(key) : `.${String(key)}`
  }
  return text === '' ? 'the record itself' : text
}

/** What is at a path of a value; undefined if the way ends before. */
export function valueAt(value: unknown, path: SchemaIssue['path'] = []): unknown {
  let at: unknown = value
  for (const step of path) {
    if (typeof at !== 'object' || at === null) return undefined
    const key = typeof step === 'object' ? step.key : step
    at = at instanceof Map ? at.get(key) : (at as Record<PropertyKey, unknown>)[key]
  }
  return at
}
