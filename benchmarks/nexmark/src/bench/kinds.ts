import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import type { FlinkForm, FlinkPeer } from '../peer/flink-peer.ts'
import { bestWarmRun, type MemoryUse, type RunRates, runsIn } from './measured-run.ts'

const RUN_TIMEOUT_MS = 600_000

/** One way to run a query. */
export interface Kind {
  readonly name: string
  readonly side: 'engine' | 'loop' | 'flink'
  readonly parallelism: number
  /** Whether edges behind `keyBy` are encoded, all of them. */
  readonly encoded: boolean
  run(round: { readonly query: string; readonly events: number; readonly seed: number }): KindRun
}

export interface KindRun {
  readonly rates: RunRates
  readonly memory?: MemoryUse
}

function programKind(head: Pick<Kind, 'name' | 'side' | 'parallelism' | 'encoded'>, program: string): Kind {
  return {
    ...head,
    run({ query, events, seed }) {
      const { parallelism, encoded } = head
      const args = [query, String(events), String(parallelism), String(seed), ...(encoded ? ['encoded'] : [])]
      const path = join(import.meta.dirname, program)
      const output = execFileSync(process.execPath, [...process.execArgv, path, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: RUN_TIMEOUT_MS,
        maxBuffer: 64 << 20,
      })
      const runs = runsIn(output)
      const memory = runs.flatMap(run => run.memory ?? [])
      return {
        rates: bestWarmRun(runs, parallelism),
        ...(memory.length > 0 && {
          memory: {
            rssBytes: Math.max(...memory.map(({ rssBytes }) => rssBytes)),
            heapBytes: memory.reduce((sum, { heapBytes }) => sum + heapBytes, 0),
          },
        }),
      }
    },
  }
}

/** The query in this engine. */
export const engineKind = (parallelism: number, encoded = false): Kind =>
  programKind(
    { name: `p=${parallelism}${encoded ? ' encoded' : ''}`, side: 'engine', parallelism, encoded },
    'query-job.ts',
  )

/** The query as a plain loop. */
export const loopKind = (): Kind =>
  programKind({ name: 'loop', side: 'loop', parallelism: 1, encoded: false }, 'query-loop.ts')

/** The query in Apache Flink. */
export const flinkKind = (
  peer: FlinkPeer,
  form: FlinkForm,
  parallelism: number,
  collector: string,
): Kind => ({
  name: `flink ${form} ${collector} p=${parallelism}`,
  side: 'flink',
  parallelism,
  encoded: true,
  run({ query, events, seed }) {
    const output = peer.run(query, form, { seed, events, parallelism, collector })
    return { rates: bestWarmRun(runsIn(output), parallelism) }
  },
})
