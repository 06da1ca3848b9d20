/** A JSON schema. */
export type Schema = Readonly<Record<string, unknown>>

/** What a request carries, checked and with the defaults filled in. */
export interface V2Request<P = Record<string, string>> {
  readonly params: P
  // biome-ignore lint/suspicious/noExplicitAny: its schema says what it is.
  readonly query: any
  // biome-ignore lint/suspicious/noExplicitAny: its schema says what it is.
  readonly body: any
}

/**
 * A route of /v2. All that is known of it is here: the server checks requests by it, and the OpenAPI document is made of
 * it.
 */
export interface V2Route {
  readonly method: 'GET' | 'POST'
  /** Below /v2: `/jobs/:jobId`. */
  readonly path: string
  readonly summary: string
  /** Of parameters behind `?`. */
  readonly query?: Readonly<Record<string, Schema>>
  readonly body?: Schema
  /** Of a good answer. */
  readonly status?: 200 | 202
  readonly answer: Schema
  readonly handle: (request: V2Request) => Promise<unknown>
}

export const text: Schema = { type: 'string' }
export const whole: Schema = { type: 'integer' }
export const number: Schema = { type: 'number' }
export const flag: Schema = { type: 'boolean' }
/** Milliseconds since the epoch. */
export const time: Schema = { type: 'integer', description: 'Milliseconds since the epoch.' }

export function orNull(schema: Schema): Schema {
  return { anyOf: [schema, { type: 'null' }] }
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items }
}

export function oneOf(...values: readonly string[]): Schema {
  return { type: 'string', enum: values }
}

/** An object with these fields, all of them required but those that end with `?`. */
export function fields(of: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(of)
  const required = entries.map(([name]) => name).filter(name => !name.endsWith('?'))
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    additionalProperties: false,
  }
}

/** Parameters of lists. */
export const PAGE_QUERY: Readonly<Record<string, Schema>> = {
  limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100, description: 'Items at most.' },
  after: { type: 'string', description: 'The `next` of the page before.' },
}

/** A part of a list. */
export function pageOf(items: Schema): Schema {
  return fields({
    items: listOf(items),
    next: {
      ...orNull(text),
      description: 'Give it as `after` for the items behind these; null: there are none.',
    },
  })
}

/** The items behind the one of id `after`; from the first one if that is not there any more. */
export function pageFrom<T>(
  items: readonly T[],
  idOf: (item: T) => string,
  { limit, after }: { readonly limit: number; readonly after?: string },
): { readonly items: readonly T[]; readonly next: string | null } {
  const start = after === undefined ? 0 : items.findIndex(item => idOf(item) === after) + 1
  const chosen = items.slice(start, start + limit)
  const last = chosen.at(-1)
  return { items: chosen, next: start + limit < items.length && last !== undefined ? idOf(last) : null }
}
