import { types } from 'node:util'
import type { PrimitiveType, StateType } from '../api/state-type.ts'
import { alternativesOf, fieldTypeOf, mergeTypes, type SingleType } from './merge-types.ts'

/** Deeper than this, and with more fields than this, a value is only `any`. */
const MAX_DEPTH = 8
const MAX_FIELDS = 200
/** Elements looked at in a list, Map or Set. */
const SAMPLED_ELEMENTS = 16

/** The type of a value; of long collections that of their first elements. */
export function typeOf(value: unknown, depth = 0): StateType {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return typeof value as PrimitiveType
    case 'object':
      return value === null ? 'null' : typeOfObject(value, depth)
    default:
      return 'any'
  }
}

function typeOfObject(value: object, depth: number): StateType {
  if (types.isDate(value)) return 'date'
  if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return 'bytes'
  if (depth >= MAX_DEPTH) return 'any'
  if (Array.isArray(value)) return { array: elementType(value, depth) }
  if (types.isSet(value)) return { set: elementType(value, depth) }
  if (types.isMap(value)) {
    return { map: elementType(value.values(), depth), key: elementType(value.keys(), depth) }
  }
  const names = Object.keys(value)
  if (names.length > MAX_FIELDS) return 'any'
  const object: Record<string, StateType> = Object.create(null) as Record<string, StateType>
  for (const name of names) object[name] = typeOf((value as Record<string, unknown>)[name], depth + 1)
  return { object }
}

/** Of no elements: no alternatives at all. */
function elementType(elements: Iterable<unknown>, depth: number): StateType {
  let type: StateType = []
  let rest = SAMPLED_ELEMENTS
  for (const element of elements) {
    if (rest-- === 0) break
    type = mergeTypes(type, typeOf(element, depth + 1))
  }
  return type
}

/** A type in words, as one would write it in TypeScript. */
export function describeType(type: StateType): string {
  const alternatives = alternativesOf(type)
  if (alternatives.length === 0) return 'nothing'
  return alternatives.map(describeAlternative).join(' | ')
}

function describeAlternative(type: SingleType): string {
  if (typeof type === 'string') return type === 'date' ? 'Date' : type
  if ('array' in type) {
    const element = describeType(type.array)
    return element.includes('|') ? `(${element})[]` : `${element}[]`
  }
  if ('set' in type) return `Set<${describeType(type.set)}>`
  if ('map' in type) return `Map<${describeType(type.key)}, ${describeType(type.map)}>`
  const fields = Object.entries(type.object).map(([name, field]) => {
    const alternatives = alternativesOf(fieldTypeOf(field))
    const optional = alternatives.length > 1 && alternatives.includes('undefined')
    const shown = optional ? alternatives.filter(alternative => alternative !== 'undefined') : alternatives
    return `${name}${optional ? '?' : ''}: ${describeType(shown)}`
  })
  return fields.length === 0 ? '{}' : `{ ${fields.join('; ')} }`
}
