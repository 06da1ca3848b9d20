import { q3, q4, q9, q20 } from './joins.ts'
import type { LoopFactory } from './loop.ts'
import { q18, q19 } from './rankings.ts'
import { q0, q1, q2, q10, q13, q14, q21, q22 } from './stateless.ts'
import { q12, q15, q16, q17 } from './statistics.ts'
import { q5, q7, q8, q11 } from './windows.ts'

/** By the name of the query. */
export const LOOPS: Readonly<Record<string, LoopFactory>> = {
  ...{ q0, q1, q2, q3, q4, q5, q7, q8, q9, q10, q11 },
  ...{ q12, q13, q14, q15, q16, q17, q18, q19, q20, q21, q22 },
}
