import type { StateType } from '../api/state-type.ts'
import { describeType } from './infer-type.ts'
import { alternativesOf, fieldDefault, fieldTypeOf, type SingleType, shapeOf } from './merge-types.ts'

/** A place where values of one type can't become values of another. */
export interface TypeConflict {
  /** From the value down: `value.tags[].name`. */
  readonly field: string
  readonly stored: string
  readonly declared: string
}

/**
 * Why values of type `stored` can't be fitted to `declared`; undefined: they can, as far as the types say. `any` is not
 * looked at. Numbers become bigints, fields that are not declared are dropped, new ones need a default or `undefined`.
 */
export function findConflict(
  stored: StateType,
  declared: StateType,
  field = 'value',
): TypeConflict | undefined {
  const targets = alternativesOf(declared)
  if (targets.includes('any')) return undefined
  for (const alternative of alternativesOf(stored)) {
    if (alternative === 'any') continue
    const target = targetOf(alternative, targets)
    if (target === undefined) {
      return { field, stored: describeType(alternative), declared: describeType(declared) }
    }
    const inside = conflictInside(alternative, target, field)
    if (inside !== undefined) return inside
  }
  return undefined
}

/** The declared alternative for values of a stored one. */
function targetOf(stored: SingleType, targets: readonly SingleType[]): SingleType | undefined {
  const shape = shapeOf(stored)
  const same = targets.find(target => shapeOf(target) === shape)
  if (same !== undefined) return same
  return shape === 'number' && targets.includes('bigint') ? 'bigint' : undefined
}

function conflictInside(stored: SingleType, declared: SingleType, field: string): TypeConflict | undefined {
  if (typeof stored === 'string' || typeof declared === 'string') return undefined
  if ('array' in stored && 'array' in declared)
    return findConflict(stored.array, declared.array, `${field}[]`)
  if ('set' in stored && 'set' in declared) return findConflict(stored.set, declared.set, `${field}[]`)
  if ('map' in stored && 'map' in declared) {
    return (
      findConflict(stored.key, declared.key, `key of ${field}`) ??
      findConflict(stored.map, declared.map, `${field}[]`)
    )
  }
  if (!('object' in stored && 'object' in declared)) return undefined
  for (const [name, target] of Object.entries(declared.object)) {
    const source = stored.object[name]
    const path = `${field}.${name}`
    const missing = fieldDefault(target).length > 0 ? [] : 'undefined'
    const type = source === undefined ? missing : fieldTypeOf(source)
    const known = alternativesOf(type).filter(t => t !== 'undefined' || missing === 'undefined')
    const conflict = findConflict(known, fieldTypeOf(target), path)
    if (conflict !== undefined) return source === undefined ? { ...conflict, stored: 'nothing' } : conflict
  }
  return undefined
}
