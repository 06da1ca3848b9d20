import type { StateType } from '../api/state-type.ts'
import { typeOf } from './infer-type.ts'
import { mergeTypes } from './merge-types.ts'

/** All of the first values are looked at, then one of so many: looking costs as much as encoding. */
const FIRST = 64
const ONE_OF = 64

/** Collects the type of the values of a state while they are written. Owner: one snapshot. */
export class TypeSampler {
  #type: StateType = []
  #count = 0

  /** Whether the next value is to be given to {@link TypeSampler.add}. To be asked for each value. */
  wantsNext(): boolean {
    const count = this.#count++
    return count < FIRST || count % ONE_OF === 0
  }

  add(value: unknown): void {
    this.#type = mergeTypes(this.#type, typeOf(value))
  }

  /** Undefined: there was no value. */
  type(): StateType | undefined {
    return Array.isArray(this.#type) && this.#type.length === 0 ? undefined : this.#type
  }
}
