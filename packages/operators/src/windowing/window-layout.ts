import type { OperatorContext } from '../contract/stream-operator.ts'
import { WindowLayoutChanged } from '../errors.ts'

/**
 * How windows are laid out in state: part of snapshots, because the same names hold different things in different
 * layouts.
 * @example 'aligned/10000/0' for tumbling windows of 10 s
 */
export class WindowLayout {
  readonly #context: OperatorContext
  readonly #layout: string

  constructor(context: OperatorContext, layout: string) {
    this.#context = context
    this.#layout = layout
  }

  /** @throws operators.window-layout-changed if the restored state has another one */
  check(): void {
    const stored = this.#list().get()
    const other = stored.find(layout => layout !== this.#layout)
    if (other === undefined) return
    throw WindowLayoutChanged({
      operator: this.#context.operatorName,
      stored: other,
      requested: this.#layout,
    })
  }

  /** To be called with each snapshot. */
  snapshot(): void {
    this.#list().update([this.#layout])
  }

  #list() {
    return this.#context.operatorState.listState<string>('window-layout', 'union')
  }
}
