import type { FieldType, StateType } from '../api/state-type.ts'

/** A type without a choice. */
export type SingleType = Exclude<StateType, readonly StateType[]>

/** The choices of a type, without choices in them. */
export function alternativesOf(type: StateType): readonly SingleType[] {
  return isChoice(type) ? type.flatMap(alternativesOf) : [type]
}

/** The type of a field, whether or not it comes with a default. */
export function fieldTypeOf(field: FieldType): StateType {
  return typeof field === 'object' && 'type' in field ? field.type : field
}

/** The default of a field, in a list; empty if it has none. */
export function fieldDefault(field: FieldType): readonly unknown[] {
  return typeof field === 'object' && 'type' in field && 'default' in field ? [field.default] : []
}

/** A type of which values of both types are. Objects, arrays, Maps and Sets are merged into one of each. */
export function mergeTypes(left: StateType, right: StateType): StateType {
  if (left === right) return left
  const merged: SingleType[] = []
  for (const type of [...alternativesOf(left), ...alternativesOf(right)]) {
    if (type === 'any') return 'any'
    const same = merged.findIndex(other => shapeOf(other) === shapeOf(type))
    if (same < 0) merged.push(type)
    else if (typeof type !== 'string') merged[same] = mergeShapes(merged[same] as SingleType, type)
  }
  return merged.length === 1 ? (merged[0] as SingleType) : merged
}

/** What kind of alternative it is: there is at most one of each in a merged type. */
export function shapeOf(type: SingleType): string {
  if (typeof type === 'string') return type
  if ('array' in type) return '[]'
  if ('set' in type) return 'Set'
  return 'map' in type ? 'Map' : '{}'
}

function mergeShapes(left: SingleType, right: SingleType): SingleType {
  if (typeof left === 'string' || typeof right === 'string') return left
  if ('array' in left && 'array' in right) return { array: mergeTypes(left.array, right.array) }
  if ('set' in left && 'set' in right) return { set: mergeTypes(left.set, right.set) }
  if ('map' in left && 'map' in right) {
    return { map: mergeTypes(left.map, right.map), key: mergeTypes(left.key, right.key) }
  }
  if (!('object' in left && 'object' in right)) return left
  const object: Record<string, StateType> = Object.create(null) as Record<string, StateType>
  for (const [name, field] of Object.entries(left.object)) {
    const other = right.object[name]
    object[name] = mergeTypes(fieldTypeOf(field), other === undefined ? 'undefined' : fieldTypeOf(other))
  }
  for (const [name, field] of Object.entries(right.object)) {
    if (!(name in object)) object[name] = mergeTypes(fieldTypeOf(field), 'undefined')
  }
  return { object }
}

function isChoice(type: StateType): type is readonly StateType[] {
  return Array.isArray(type)
}
