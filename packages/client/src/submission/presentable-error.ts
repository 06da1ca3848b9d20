import { isFlinkError } from '@flink-ts/common'
import { foldFrames } from '@flink-ts/jobgraph'

/**
 * The error of a job as Node.js is to print it when nobody catches it: stacks begin in the user's code and count what is
 * not; stacks of errors for the user have nothing else; a cause repeats no frames; code and data are there for programs,
 * but not printed. Changes and returns `error`.
 */
export function presentable<E extends Error>(error: E): E {
  let printed = ''
  let current: unknown = error
  for (let depth = 0; current instanceof Error && depth < MAX_DEPTH; depth++) {
    let strange: 'kept' | 'folded' = 'kept'
    if (isFlinkError(current)) {
      for (const key of DETAILS) Object.defineProperty(current, key, { enumerable: false })
      if (current.domain === 'user') strange = 'folded'
    }
    if (typeof current.stack === 'string') {
      const stack = foldFrames(current.stack, strange)
      const frames = framesIn(stack)
      current.stack = printed !== '' && printed.includes(frames) ? headOf(stack) : stack
      if (printed === '') printed = frames
    }
    current = current.cause
  }
  return error
}

const MAX_DEPTH = 10
const DETAILS = ['code', 'domain', 'retry', 'data'] as const

/** Where frames begin; a message may have several lines. */
const startOfFrames = (stack: string): number => {
  const start = stack.search(/\n {4}(?:at |\.\.\. \d+ frames? of )/)
  return start < 0 ? stack.length : start
}
const framesIn = (stack: string): string => stack.slice(startOfFrames(stack))
const headOf = (stack: string): string => stack.slice(0, startOfFrames(stack))
