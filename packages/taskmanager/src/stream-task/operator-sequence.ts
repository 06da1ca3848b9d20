import type { ChainLink, OperatorFailureMaker } from './operator-chain.ts'

/** One call on each operator; `step` names it in errors. */
export interface LifeCycleCall {
  readonly step: string
  readonly on: (link: ChainLink) => void | Promise<void>
}

/**
 * Life-cycle calls on the operators of a task, one after the other, each promise awaited before the next call. With
 * synchronous operators everything happens on the caller's stack. While a promise is open the task takes no records,
 * watermarks or barriers. Owner: the task.
 */
export class OperatorSequence {
  readonly #post: (action: () => void) => void
  readonly #onChange: () => void
  readonly #failure: OperatorFailureMaker
  readonly #queue: (() => void)[] = []
  #active = false
  #waitingFor: ChainLink | undefined
  #interrupt: (() => void) | undefined

  /**
   * @param post runs an action later, with nothing of the task on the stack
   * @param onChange the sequence began or ceased to wait
   * @param failure makes the error for what a call has thrown
   */
  constructor(dependencies: {
    post: (action: () => void) => void
    onChange: () => void
    failure: OperatorFailureMaker
  }) {
    this.#failure = dependencies.failure
    this.#post = dependencies.post
    this.#onChange = dependencies.onChange
  }

  /** Calls are under way. */
  get active(): boolean {
    return this.#active
  }

  /** The operator whose promise is awaited. */
  get waitingFor(): ChainLink | undefined {
    return this.#waitingFor
  }

  /** Runs `action` when no calls are under way: now, or after those before it. */
  whenIdle(action: () => void): void {
    if (this.#active) this.#queue.push(action)
    else action()
  }

  /** Must not be called while {@link OperatorSequence.active}. The first error ends the sequence. */
  run(
    links: readonly ChainLink[],
    call: LifeCycleCall,
    done: () => void,
    failed: (error: unknown) => void,
  ): void {
    this.#active = true
    this.#continue(links, 0, call, done, failed)
  }

  /**
   * Drops what is queued and runs `action` as soon as no call is under way: at once, or after the one that is. What
   * the interrupted sequence would have done next is not done.
   */
  interrupt(action: () => void): void {
    this.#queue.length = 0
    if (this.#active) this.#interrupt = action
    else action()
  }

  #continue(
    links: readonly ChainLink[],
    from: number,
    call: LifeCycleCall,
    done: () => void,
    failed: (error: unknown) => void,
  ): void {
    for (let i = from; i < links.length; i++) {
      if (this.#interrupt !== undefined) break
      const link = links[i] as ChainLink
      let result: void | Promise<void>
      try {
        result = call.on(link)
      } catch (error) {
        this.#end(() => failed(this.#failure(link, call.step, error)))
        return
      }
      if (!isPromise(result)) continue
      this.#waitingFor = link
      this.#onChange()
      const settled = (then: () => void): void =>
        this.#post(() => {
          this.#waitingFor = undefined
          then()
        })
      result.then(
        () => settled(() => this.#continue(links, i + 1, call, done, failed)),
        (error: unknown) => settled(() => this.#end(() => failed(this.#failure(link, call.step, error)))),
      )
      return
    }
    this.#end(done)
  }

  #end(then: () => void): void {
    this.#active = false
    const interrupt = this.#interrupt
    this.#interrupt = undefined
    if (interrupt !== undefined) interrupt()
    else then()
    while (!this.#active) {
      const next = this.#queue.shift()
      if (next === undefined) break
      next()
    }
    this.#onChange()
  }
}

function isPromise(value: unknown): value is Promise<void> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<void>).then === 'function'
}
