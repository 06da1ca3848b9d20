import type { ChainLink } from './operator-chain.ts'

/** One call of `endInput`. */
export interface EndInputCall {
  readonly link: ChainLink
  readonly input: number
}

/** Which inputs of a task have ended and which operators have been told. Owner: the task. */
export class EndOfInput {
  readonly #headInputs: number
  readonly #toEnd: number[] = []
  #ended = 0
  #sourceEnded = false
  #taken = false

  /** @param headInputs inputs of the head; 0 for a source */
  constructor(headInputs: number) {
    this.#headInputs = headInputs
  }

  /** No more records will come from anywhere. */
  get all(): boolean {
    return this.#headInputs === 0 ? this.#sourceEnded : this.#ended === this.#headInputs
  }

  sourceEnded(): void {
    this.#sourceEnded = true
  }

  inputEnded(input: number): void {
    this.#ended++
    this.#toEnd.push(input)
  }

  /** The calls that are due now, in order; each is handed out once. Undefined: none. */
  take(links: readonly ChainLink[]): readonly EndInputCall[] | undefined {
    const all = this.all && !this.#taken
    if (this.#toEnd.length === 0 && !all) return undefined
    const [head, ...rest] = links as readonly [ChainLink, ...ChainLink[]]
    const calls = this.#toEnd.splice(0).map(input => ({ link: head, input }))
    if (!all) return calls
    this.#taken = true
    return [...calls, ...rest.map(link => ({ link, input: 0 }))]
  }
}
