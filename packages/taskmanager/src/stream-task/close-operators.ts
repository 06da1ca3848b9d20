import type { Logger } from '@flink-ts/common'
import type { ChainLink } from './operator-chain.ts'
import type { OperatorSequence } from './operator-sequence.ts'

/** Closes all operators in order, whatever each of them says; `done` gets the first error. */
export function closeOperators(
  sequence: OperatorSequence,
  links: readonly ChainLink[],
  logger: Logger,
  done: (failure: { error: unknown } | undefined) => void,
): void {
  let first: { error: unknown } | undefined
  const failed = (error: unknown): void => {
    first ??= { error }
    logger.warn({ error }, 'closing an operator failed')
  }
  const close = (link: ChainLink): void | Promise<void> => {
    try {
      return link.operator.close?.()?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }
  sequence.run(links, close, () => done(first), failed)
}
