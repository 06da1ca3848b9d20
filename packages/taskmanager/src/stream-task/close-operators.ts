import type { Logger } from '@flink-ts/common'
import type { ChainLink, OperatorFailureMaker } from './operator-chain.ts'
import type { OperatorSequence } from './operator-sequence.ts'

/** Closes all operators in order, whatever each of them says; `done` gets the first error. */
export function closeOperators(
  sequence: OperatorSequence,
  links: readonly ChainLink[],
  logger: Logger,
  failure: OperatorFailureMaker,
  done: (failure: { error: unknown } | undefined) => void,
): void {
  let first: { error: unknown } | undefined
  const failed = (error: unknown): void => {
    first ??= { error }
    logger.warn({ error }, 'closing an operator failed')
  }
  const close = (link: ChainLink): void | Promise<void> => {
    const failedHere = (thrown: unknown): void => failed(failure(link, 'close', thrown))
    try {
      return link.operator.close?.()?.catch(failedHere)
    } catch (error) {
      failedHere(error)
    }
  }
  sequence.run(links, { step: 'close', on: close }, () => done(first), failed)
}
