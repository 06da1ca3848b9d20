import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { expectedRows } from '../../examples/flight-delays/src/expected-rows.ts'
import { REPOSITORY, type Running, type TestCluster } from './test-cluster.ts'

export const MAIN_JOB = join(REPOSITORY, 'examples/flight-delays/src/job.ts')

/** One run of the main job with an output folder of its own. */
export class MainJobRun {
  readonly output = mkdtempSync(join(tmpdir(), 'flight-delays-'))
  readonly running: Running

  constructor(cluster: TestCluster, options: { parallelism: number; checkpointIntervalMs: number }) {
    this.running = cluster.flink(
      'run',
      '-p',
      String(options.parallelism),
      MAIN_JOB,
      '--output',
      this.output,
      '--checkpoint-interval',
      `${options.checkpointIntervalMs} ms`,
    )
  }

  /** Waits for the end and compares: the same rows as an independent computation, each once, and nothing else. */
  async expectResult(): Promise<void> {
    const { code, stdout, stderr } = await this.running.finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    expectFlightDelays(this.output)
    rmSync(this.output, { recursive: true })
  }
}

let expected: readonly string[] | undefined

/** Compares an output folder of the main job with the independent computation, row by row. */
export function expectFlightDelays(folder: string): void {
  expected ??= [...expectedRows()].sort()
  const names = readdirSync(folder)
  expect(names.filter(name => name.startsWith('.'))).toEqual([])
  const rows = names.flatMap(name => {
    const [header, ...lines] = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
    expect(header).toBe('origin,day,flights,mean_delay_minutes,late_share')
    return lines
  })
  rows.sort()
  expect(rows.length).toBe(39_952)
  // Compared as one text: a difference is shown at its place, and 39,952 rows stay quick.
  expect(rows.join('\n') === expected.join('\n') ? '' : firstDifference(rows, expected)).toBe('')
}

function firstDifference(rows: readonly string[], expected: readonly string[]): string {
  const at = rows.findIndex((row, i) => row !== expected[i])
  return `row ${at}: ${rows[at]} instead of ${expected[at]}`
}
