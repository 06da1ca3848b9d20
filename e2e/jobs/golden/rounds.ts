// A source whose rounds are separated by checkpoints.
import type { Source, SourceReader, SourceReaderContext } from 'flink-ts'
import type { Element } from './elements.ts'

/** What the source gives: a part of one of the inputs that the golden files have. */
export interface Part {
  readonly script: string
  readonly element: Element
}

/**
 * Gives the parts one round after the other: the next one when a checkpoint has been completed since, so that everything
 * before it has gone through the whole job. That makes the order of two inputs that of the script, whatever is slow.
 * Fails in the middle of some rounds, when one part of the round has been given and others have not.
 */
export class Rounds implements Source<Part, { next: number }> {
  readonly boundedness = 'bounded'
  readonly kind = 'rounds'
  readonly nonParallel = true
  readonly #rounds: readonly (readonly Part[])[]
  readonly #failAt: readonly number[]

  constructor(rounds: readonly (readonly Part[])[], failAt: readonly number[]) {
    this.#rounds = rounds
    this.#failAt = failAt
  }

  enumerateSplits(): readonly { next: number }[] {
    return [{ next: 0 }]
  }

  createReader(context: SourceReaderContext): SourceReader<Part, { next: number }> {
    let next = 0
    let isFirst = true
    let restoredAt: number | undefined
    /** Since the last round: a snapshot was taken, and its checkpoint is complete. */
    let progress: 'none' | 'snapshot' | 'complete' = 'complete'
    return {
      addSplits: ([split]) => {
        next = split?.next ?? next
        restoredAt = next
      },
      poll: (_max, output) => {
        if (progress !== 'complete') return 'wait'
        const round = this.#rounds[next]
        if (round === undefined) return 'end'
        // Where it fails it does so in the attempt that came from before.
        const fails = this.#failAt.includes(next) && (!isFirst || restoredAt === 0)
        if (isFirst && restoredAt !== 0) {
          output.collect({
            script: 'restored',
            element: { id: String(restoredAt), key: '', ts: 0, value: 0 },
          })
        }
        isFirst = false
        for (const [i, part] of round.entries()) {
          if (fails && i === Math.ceil(round.length / 2)) throw new Error('on purpose')
          output.collect(part)
        }
        next++
        progress = 'none'
        return 'wait'
      },
      snapshot: () => {
        if (progress === 'none') progress = 'snapshot'
        return [{ next }]
      },
      notifyCheckpointComplete: () => {
        if (progress !== 'snapshot') return
        progress = 'complete'
        context.wake()
      },
    }
  }
}
