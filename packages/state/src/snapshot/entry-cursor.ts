import { CorruptSnapshot } from '../errors.ts'

/**
 * Goes through the entries of a chunk's body without making anything for each: where its key and value are is said by
 * `keyStart` to `valueEnd`, until the next call. The layout is that of `keyed-format.ts`. One owner.
 */
export class EntryCursor {
  readonly body: Buffer
  readonly #where: string
  #position = 0
  stateIndex = 0
  namespace: string | number | undefined
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0

  /** @param where for errors: what the body is part of */
  constructor(body: Buffer, where: string) {
    this.body = body
    this.#where = where
  }

  /** Goes to the next entry; false: there is none. Throws `state.corrupt-snapshot`. */
  next(): boolean {
    if (this.#position >= this.body.length) return false
    this.stateIndex = this.#length()
    this.namespace = this.#namespace()
    this.keyEnd = this.#takeSized()
    this.keyStart = this.#start
    this.valueEnd = this.#takeSized()
    this.valueStart = this.#start
    return true
  }

  /** Of what was taken last. */
  #start = 0

  #namespace(): string | number | undefined {
    const tag = this.body[this.#take(1)]
    if (tag === 0) return undefined
    if (tag === 1) return this.body.readDoubleLE(this.#take(8))
    if (tag === 2) return this.#text('utf8')
    if (tag === 3) return this.#text('utf16le')
    throw CorruptSnapshot({
      where: this.#where,
      reason: `an entry has a namespace of unknown type ${tag}`,
    })
  }

  #text(encoding: 'utf8' | 'utf16le'): string {
    const end = this.#takeSized()
    return this.body.toString(encoding, this.#start, end)
  }

  /** Takes a length and so many bytes from `#start` on; returns their end. */
  #takeSized(): number {
    const length = this.#length()
    this.#start = this.#take(length)
    return this.#start + length
  }

  #length(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.body[this.#take(1)] as number
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  #take(length: number): number {
    const start = this.#position
    if (length > this.body.length - start)
      throw CorruptSnapshot({ where: this.#where, reason: 'an entry is cut off' })
    this.#position = start + length
    return start
  }
}
