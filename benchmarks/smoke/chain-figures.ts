import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Spread, spreadOf } from './spread.ts'
import { STRETCH_MARK, type Stretch } from './stretch.ts'

/** How the count by key is written. */
export type Keyed = 'reduce' | 'process'

type Variant = 'hand' | 'clean' | 'polluted'

/** A chain in the real engine beside the same loop by hand, in million records a second of the thread's CPU time. */
export interface ChainFigures {
  readonly keyed: Keyed
  readonly hand: Spread
  /** The chain alone in its thread. */
  readonly clean: Spread
  /** After six other pipelines ran in the same thread. */
  readonly polluted: Spread
}

const VARIANTS: readonly Variant[] = ['hand', 'clean', 'polluted']

/** Runs each variant `rounds` times, one after another and in turns, so that what else the machine does meets all. */
export function measureChain(keyed: Keyed, options: { records: number; rounds: number }): ChainFigures {
  const figures: Record<Variant, number[]> = { hand: [], clean: [], polluted: [] }
  for (let round = 0; round < options.rounds; round++) {
    for (const variant of VARIANTS) {
      const { records, cpuMs } = run(variant, keyed, options.records)
      figures[variant].push(records / cpuMs / 1000)
    }
  }
  return {
    keyed,
    hand: spreadOf(figures.hand),
    clean: spreadOf(figures.clean),
    polluted: spreadOf(figures.polluted),
  }
}

function run(variant: Variant, keyed: Keyed, records: number): Stretch {
  const file = join(import.meta.dirname, variant === 'hand' ? 'chain-hand.ts' : 'chain-job.ts')
  const flags = variant === 'polluted' ? ['--polluted'] : []
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
