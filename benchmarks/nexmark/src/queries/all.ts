import { q0 } from './q0.ts'
import { q1 } from './q1.ts'
import { q2 } from './q2.ts'
import { q3 } from './q3.ts'
import { q4 } from './q4.ts'
import { q5 } from './q5.ts'
import { q7 } from './q7.ts'
import { q8 } from './q8.ts'
import { q9 } from './q9.ts'
import { q10 } from './q10.ts'
import { q11 } from './q11.ts'
import { q12 } from './q12.ts'
import { q13 } from './q13.ts'
import { q14 } from './q14.ts'
import { q15 } from './q15.ts'
import { q16 } from './q16.ts'
import { q17 } from './q17.ts'
import { q18 } from './q18.ts'
import { q19 } from './q19.ts'
import { q20 } from './q20.ts'
import { q21 } from './q21.ts'
import { q22 } from './q22.ts'
import type { Query } from './query.ts'

/** All queries. There is no q6: Flink leaves it out, too. */
export const QUERIES: readonly Query[] = [
  q0 as Query,
  q1 as Query,
  q2 as Query,
  q3 as Query,
  q4 as Query,
  q5 as Query,
  q7 as Query,
  q8 as Query,
  q9 as Query,
  q10 as Query,
  q11 as Query,
  q12 as Query,
  q13 as Query,
  q14 as Query,
  q15 as Query,
  q16 as Query,
  q17 as Query,
  q18 as Query,
  q19 as Query,
  q20 as Query,
  q21 as Query,
  q22 as Query,
]
