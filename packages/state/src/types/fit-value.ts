import { types } from 'node:util'
import type { FieldType, StateType } from '../api/state-type.ts'
import type { TypeConflict } from './check-type.ts'
import { describeType, typeOf } from './infer-type.ts'
import { alternativesOf, fieldDefault, fieldTypeOf, type SingleType, shapeOf } from './merge-types.ts'

/** A value that was fitted, or why it can't be. */
export type Fitted = { readonly value: unknown } | { readonly conflict: TypeConflict }

/**
 * A value as the declared type wants it: the same one if nothing is to be changed. See `findConflict` for what is
 * changed.
 */
export function fitValue(value: unknown, declared: StateType): Fitted {
  try {
    return { value: fit(value, declared, 'value') }
  } catch (error) {
    if (error instanceof Misfit) return { conflict: error.conflict }
    throw error
  }
}

class Misfit extends Error {
  readonly conflict: TypeConflict

  constructor(conflict: TypeConflict) {
    super(conflict.field)
    this.conflict = conflict
  }
}

function fit(value: unknown, declared: StateType, field: string): unknown {
  const targets = alternativesOf(declared)
  if (targets.includes('any')) return value
  const shape = shapeOfValue(value)
  const target = targets.find(alternative => shapeOf(alternative) === shape)
  if (target === undefined) {
    if (shape === 'number' && targets.includes('bigint') && Number.isInteger(value))
      return BigInt(value as number)
    throw new Misfit({ field, stored: describeType(typeOf(value)), declared: describeType(declared) })
  }
  return typeof target === 'string' ? value : fitInside(value, target, field)
}

function shapeOfValue(value: unknown): string {
  if (typeof value !== 'object') return typeof value
  if (value === null) return 'null'
  if (Array.isArray(value)) return '[]'
  if (types.isDate(value)) return 'date'
  if (types.isMap(value)) return 'Map'
  if (types.isSet(value)) return 'Set'
  return ArrayBuffer.isView(value) || types.isArrayBuffer(value) ? 'bytes' : '{}'
}

function fitInside(value: unknown, target: Exclude<SingleType, string>, field: string): unknown {
  if ('array' in target) return fitAll(value as unknown[], target.array, `${field}[]`)
  if ('set' in target) return new Set(fitAll([...(value as Set<unknown>)], target.set, `${field}[]`))
  if ('map' in target) {
    return new Map(
      Array.from(value as Map<unknown, unknown>, ([key, item]) => [
        fit(key, target.key, `key of ${field}`),
        fit(item, target.map, `${field}[]`),
      ]),
    )
  }
  return fitFields(value as Record<string, unknown>, target.object, field)
}

function fitAll(elements: unknown[], target: StateType, field: string): unknown[] {
  const fitted = elements.map(element => fit(element, target, field))
  return fitted.every((element, i) => element === elements[i]) ? elements : fitted
}

function fitFields(
  value: Record<string, unknown>,
  fields: Readonly<Record<string, FieldType>>,
  field: string,
): Record<string, unknown> {
  const fitted: Record<string, unknown> = {}
  let changed = false
  for (const name of Object.keys(value)) {
    const target = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (target === undefined) {
      changed = true
      continue
    }
    const own = fitField(value[name], target, `${field}.${name}`)
    if (!Object.is(own, value[name])) changed = true
    setField(fitted, name, own)
  }
  for (const [name, target] of Object.entries(fields)) {
    if (Object.hasOwn(value, name)) continue
    const own = fitField(undefined, target, `${field}.${name}`)
    if (own === undefined) continue
    setField(fitted, name, own)
    changed = true
  }
  return changed ? fitted : value
}

function setField(target: Record<string, unknown>, name: string, value: unknown): void {
  // Assigning would set the prototype.
  if (name !== '__proto__') target[name] = value
  else Object.defineProperty(target, name, { value, enumerable: true, writable: true, configurable: true })
}

function fitField(value: unknown, target: FieldType, field: string): unknown {
  if (value === undefined) {
    const [byDefault] = fieldDefault(target)
    if (byDefault !== undefined) return structuredClone(byDefault)
  }
  return fit(value, fieldTypeOf(target), field)
}
