import { inspect } from 'node:util'

/** Part of a body, in a few words for messages: whatever it is, and however deep. */
export function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(JSON.stringify(value)).slice(0, 200)
  return inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 100, maxArrayLength: 5 })
}
