import { newId, type Random } from '@flink-ts/common'
import { InvalidParameter } from '../errors.ts'
import { shown } from './shown.ts'

const TRIGGER_ID = /^[0-9a-f]{32}$/

/** The body as an object; none is an empty one. @throws rest.invalid-parameter */
export function bodyOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined || body === null) return {}
  if (typeof body === 'object' && !Array.isArray(body)) return body as Record<string, unknown>
  throw InvalidParameter({ name: 'body', value: shown(body), expected: 'a JSON object' })
}

/** A field of a body that is a text. @throws rest.invalid-parameter */
export function text(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw InvalidParameter({ name, value: shown(value), expected: 'a text' })
}

/** A field of a body that is true or false; false where it is absent. @throws rest.invalid-parameter */
export function flag(body: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = body[name] ?? false
  if (typeof value === 'boolean') return value
  throw InvalidParameter({ name, value: shown(value), expected: 'true or false' })
}

/** The caller's own, so that it can ask again without starting the same a second time, or a new one. */
export function triggerIdOf(body: Readonly<Record<string, unknown>>, random: Random): string {
  const given = text(body, 'triggerId')
  if (given === undefined) return newId<string>(random)
  if (TRIGGER_ID.test(given)) return given
  throw InvalidParameter({ name: 'triggerId', value: given, expected: '32 lower-case hex characters' })
}
