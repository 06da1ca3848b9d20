import { inspect } from 'node:util'
import { InvalidKey } from '../errors.ts'

/**
 * Returns `element` if it may be a key or an element of one.
 * @param key the whole key, for the message
 * @param at index or field of the element in the key
 * @throws serialization.invalid-key
 */
export function requireKeyElement(
  element: unknown,
  key: unknown,
  at?: string | number,
): string | number | boolean | bigint | Date {
  switch (typeof element) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return element
    default:
      if (element instanceof Date && !Number.isNaN(element.getTime())) return element
      throw InvalidKey({
        key: show(key),
        reason: at === undefined ? `it ${kindOf(element)}` : `${place(at)} ${kindOf(element)}`,
      })
  }
}

/**
 * The field names of a plain object in ascending order.
 * @throws serialization.invalid-key for class instances and other objects
 */
export function requirePlainFields(key: object): string[] {
  const prototype = Object.getPrototypeOf(key)
  if (prototype !== Object.prototype && prototype !== null) {
    throw InvalidKey({ key: show(key), reason: `it ${kindOf(key)}` })
  }
  const names = Object.keys(key)
  return names.length > 1 ? names.sort() : names
}

function place(at: string | number): string {
  return typeof at === 'number' ? `its element ${at}` : `its field ${JSON.stringify(at)}`
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return `is ${String(value)}`
  if (value instanceof Date) return 'is a Date without a valid time'
  if (typeof value !== 'object') return `is a ${typeof value}`
  if (Array.isArray(value)) return 'is an array'
  const name = (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name
  return name === undefined || name === 'Object' ? 'is an object' : `is an instance of ${name}`
}

function show(value: unknown): string {
  const options = {
    depth: 1,
    breakLength: Infinity,
    maxStringLength: 80,
    maxArrayLength: 10,
    customInspect: false,
  }
  const text = inspect(value, options)
  return text.length > 200 ? `${text.slice(0, 200)}...` : text
}
