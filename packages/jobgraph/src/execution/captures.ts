import { createValueSerializer } from '@flink-ts/serialization'
import { CaptureDuplicate, CaptureMissing, CapturePending } from '../errors.ts'

// Marks values that `read` gave as a promise, so that replays give a promise too. No base64 character.
const ASYNCHRONOUS = '~'

/** The values of `env.capture` of one planning run. Owner: the planning context of that run. */
export class CaptureRecorder {
  readonly #values = new Map<string, string | undefined>()

  /**
   * Evaluates `read` and keeps its value by name. What comes back is the value as replays will get it, decoded from
   * its encoding, so that a value that does not survive the journey is noticed at planning.
   */
  take<T>(name: string, read: () => T): T {
    if (this.#values.has(name)) throw CaptureDuplicate({ name })
    this.#values.set(name, undefined)
    const value: unknown = read()
    if (isPromise(value)) return value.then(settled => this.#keep(name, ASYNCHRONOUS, settled)) as T
    return this.#keep(name, '', value) as T
  }

  /** All values taken so far, encoded. Throws `jobgraph.capture-pending` if one was not awaited. */
  snapshot(): Record<string, string> {
    const encoded: Record<string, string> = {}
    for (const [name, value] of this.#values) {
      if (value === undefined) throw CapturePending({ name })
      encoded[name] = value
    }
    return encoded
  }

  #keep(name: string, prefix: string, value: unknown): unknown {
    const serializer = createValueSerializer()
    const bytes = Buffer.from(serializer.encode(value))
    this.#values.set(name, prefix + bytes.toString('base64'))
    return serializer.decode(bytes)
  }
}

/** The value that planning captured under `name`. Throws `jobgraph.capture-missing`. */
export function capturedValue(captures: Readonly<Record<string, string>>, name: string): unknown {
  const encoded = Object.hasOwn(captures, name) ? captures[name] : undefined
  if (encoded === undefined) throw CaptureMissing({ name, known: Object.keys(captures) })
  const asynchronous = encoded.startsWith(ASYNCHRONOUS)
  const bytes = Buffer.from(asynchronous ? encoded.slice(ASYNCHRONOUS.length) : encoded, 'base64')
  const value: unknown = createValueSerializer().decode(bytes)
  return asynchronous ? Promise.resolve(value) : value
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function'
  )
}
