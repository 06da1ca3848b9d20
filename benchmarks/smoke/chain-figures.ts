import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Spread, spreadOf } from './spread.ts'
import { STRETCH_MARK, type Stretch } from './stretch.ts'

/** How the count by key is written. */
export type Keyed = 'reduce' | 'process'

type Variant = 'hand' | 'clean' | 'polluted' | 'same-class'

/** A chain in the real engine beside the same loop by hand, in million records a second of the thread's CPU time. */
export interface ChainFigures {
  readonly keyed: Keyed
  readonly hand: Spread
  /** The chain alone in its thread. */
  readonly clean: Spread
  /** After six other pipelines, with functions of their own, ran in the same thread. */
  readonly polluted: Spread
  /** After six others whose counts are instances of the same class of the user's. */
  readonly sameClass: Spread | undefined
}

const VARIANTS: Readonly<Record<Keyed, readonly Variant[]>> = {
  reduce: ['hand', 'clean', 'polluted'],
  process: ['hand', 'clean', 'polluted', 'same-class'],
}

/** Runs each variant `rounds` times, one after another and in turns, so that what else the machine does meets all. */
export function measureChain(keyed: Keyed, options: { records: number; rounds: number }): ChainFigures {
  const figures: Record<Variant, number[]> = { hand: [], clean: [], polluted: [], 'same-class': [] }
  for (let round = 0; round < options.rounds; round++) {
    for (const variant of VARIANTS[keyed]) {
      const { records, cpuMs } = run(variant, keyed, options.records)
      figures[variant].push(records / cpuMs / 1000)
    }
  }
  return {
    keyed,
    hand: spreadOf(figures.hand),
    clean: spreadOf(figures.clean),
    polluted: spreadOf(figures.polluted),
    sameClass: keyed === 'process' ? spreadOf(figures['same-class']) : undefined,
  }
}

function run(variant: Variant, keyed: Keyed, records: number): Stretch {
  const file = join(import.meta.dirname, variant === 'hand' ? 'chain-hand.ts' : 'chain-job.ts')
  const flags = variant === 'hand' || variant === 'clean' ? [] : [`--${variant}`]
  const { stdout, stderr, status, error } = spawnSync(
    process.execPath,
    [...process.execArgv, file, String(records), keyed, ...flags],
    { encoding: 'utf8', timeout: 120_000 },
  )
  const line = (stdout ?? '').split('\n').find(text => text.includes(STRETCH_MARK))
  if (status !== 0 || line === undefined) {
    throw new Error(`The ${variant} chain ended with ${status} and no figure: ${stderr || stdout}`, {
      cause: error,
    })
  }
  return JSON.parse(line.slice(line.indexOf(STRETCH_MARK) + STRETCH_MARK.length)) as Stretch
}
