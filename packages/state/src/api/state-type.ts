/** What a value can be that has no parts. `any`: not looked at. */
export type PrimitiveType =
  | 'any'
  | 'string'
  | 'number'
  | 'boolean'
  | 'bigint'
  | 'date'
  | 'bytes'
  | 'null'
  | 'undefined'

/** A field of an object: its type, or type and default for values stored before the field was added. */
export type FieldType = StateType | { readonly type: StateType; readonly default?: unknown }

/**
 * The shape of stored values, as plain data: what a snapshot says about its states, and what a descriptor can declare.
 * An object may lack a field whose type includes `undefined`.
 * @example const visit: StateType = { object: { count: 'number', last: ['date', 'undefined'], tags: { array: 'string' } } }
 */
export type StateType =
  | PrimitiveType
  /** Any of these. */
  | readonly StateType[]
  | { readonly array: StateType }
  | { readonly set: StateType }
  | { readonly map: StateType; readonly key: StateType }
  | { readonly object: Readonly<Record<string, FieldType>> }
