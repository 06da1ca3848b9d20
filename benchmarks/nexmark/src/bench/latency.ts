import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type Spread, spreadOf } from '../../../smoke/spread.ts'
import { LATENCY_MARK, type LatencyReading } from './percentile.ts'

const SECONDS = 6
const RUN_TIMEOUT_MS = 120_000
const BUFFER_TIMEOUTS_MS = [100, 1, 0]

/** Latency at half of the load that the same job can take. */
export interface LatencyFigure {
  readonly bufferTimeoutMs: number
  /** Records a second of both subtasks together. */
  readonly rate: number
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly p999Ms: Spread
}

/** Of the worse of the two subtasks. */
function readings(rate: number, bufferTimeoutMs: number): LatencyReading {
  const job = join(import.meta.dirname, 'latency-job.ts')
  const args = [job, String(rate), String(bufferTimeoutMs), String(SECONDS)]
  const output = execFileSync(process.execPath, [...process.execArgv, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: RUN_TIMEOUT_MS,
  })
  const found = output
    .split('\n')
    .filter(line => line.includes(LATENCY_MARK))
    .map(line => JSON.parse(line.slice(line.indexOf(LATENCY_MARK) + LATENCY_MARK.length)) as LatencyReading)
  if (found.length === 0) throw new Error(`no subtask reported its latencies: ${output}`)
  const worst = (of: (reading: LatencyReading) => number): number => Math.max(...found.map(of))
  return {
    count: found.reduce((sum, { count }) => sum + count, 0),
    p50Ms: worst(({ p50Ms }) => p50Ms),
    p99Ms: worst(({ p99Ms }) => p99Ms),
    p999Ms: worst(({ p999Ms }) => p999Ms),
  }
}

/** Latencies by buffer timeout, one after another in each round. */
export function measureLatencies(rounds: number): readonly LatencyFigure[] {
  const rate = Math.round(readings(0, BUFFER_TIMEOUTS_MS[0] as number).count / SECONDS / 2)
  const all = Array.from({ length: rounds }, () => BUFFER_TIMEOUTS_MS.map(timeout => readings(rate, timeout)))
  return BUFFER_TIMEOUTS_MS.map((bufferTimeoutMs, at) => {
    const ofTimeout = all.map(round => round[at] as LatencyReading)
    return {
      bufferTimeoutMs,
      rate,
      p50Ms: spreadOf(ofTimeout.map(({ p50Ms }) => p50Ms)),
      p99Ms: spreadOf(ofTimeout.map(({ p99Ms }) => p99Ms)),
      p999Ms: spreadOf(ofTimeout.map(({ p999Ms }) => p999Ms)),
    }
  })
}
