import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from '../harness/test-cluster.ts'

/** One job of a chaos run: what to start, and what it must have written when it is over. */
export interface Workload {
  /** Arguments of `flink run` from the program on. */
  readonly args: readonly string[]
  /** Rows of all part files, in any order: worked out without the product. */
  expected(): string[]
}

export interface WorkloadOptions {
  /** Of the job alone: made, and empty. */
  readonly output: string
  /** For files that the job reads: not made yet. */
  readonly input: string
  /** How long the job takes at least, undisturbed, however many cores there are. */
  readonly seconds: number
}

/** All kinds of jobs, each in a lane of its own. */
export const WORKLOADS: Readonly<Record<string, (options: WorkloadOptions) => Workload>> = {
  counts: ({ output, seconds }) => {
    const [records, keys] = [seconds * 400, 40]
    const options = ['--records', String(records), '--keys', String(keys), '--rate', '400']
    return { args: [job('counts'), '--output', output, ...options], expected: () => countRows(records, keys) }
  },
  // Each record takes longer than until the next one comes: channels are always full.
  unaligned: ({ output, seconds }) => {
    const [records, keys] = [seconds * 250, 30]
    const options = ['--records', String(records), '--keys', String(keys), '--rate', '1000000']
    return {
      args: [job('counts'), '--output', output, ...options, '--unaligned', '--slow-ms', '4'],
      expected: () => countRows(records, keys),
    }
  },
  windows: ({ output, seconds }) => {
    const [records, keys] = [seconds * 500, 20]
    const options = ['--records', String(records), '--keys', String(keys), '--rate', '500']
    return {
      args: [job('chaos-windows'), '--output', output, ...options],
      expected: () => [
        ...windowRows('tumbling', records, keys, 1000),
        ...windowRows('sliding', records, keys, 3000),
      ],
    }
  },
  join: ({ output, seconds }) => {
    const [records, keys] = [seconds * 200, 10]
    const options = ['--records', String(records), '--keys', String(keys), '--rate', '200']
    return {
      args: [job('chaos-join'), '--output', output, ...options],
      expected: () => pairRows(records, keys),
    }
  },
  files: ({ output, input, seconds }) => {
    const [lines, words] = [seconds * 300, 25]
    writeLines(input, lines, words)
    return {
      args: [job('chaos-files'), '--input', input, '--output', output, '--slow-ms', '3'],
      expected: () => [
        ...Array.from({ length: lines }, (_, i) => lineOf(i, words)),
        ...countRows(lines, words).map(row => `count ${row}`),
      ],
    }
  },
}

const job = (name: string): string => join(REPOSITORY, `e2e/jobs/${name}.ts`)

function countRows(records: number, keys: number): string[] {
  return Array.from({ length: records }, (_, i) => `key-${i % keys} ${Math.floor(i / keys) + 1}`)
}

/** Windows of `sizeMs` that begin at each second; as jobs/chaos-windows.ts makes records. */
function windowRows(kind: string, records: number, keys: number, sizeMs: number): string[] {
  const totals = new Map<string, { count: number; sum: number }>()
  for (let i = 0; i < records; i++) {
    const time = i * 10 + ((i * 7919) % 21) * 10
    for (let start = Math.floor(time / 1000) * 1000; start > time - sizeMs; start -= 1000) {
      const window = `${kind} key-${i % keys} ${start}`
      const total = totals.get(window) ?? { count: 0, sum: 0 }
      totals.set(window, { count: total.count + 1, sum: total.sum + i })
    }
  }
  return Array.from(totals, ([window, { count, sum }]) => `${window} ${count} ${sum}`)
}

/** Orders at 20 ms, payments 10 ms later, of the same key: as jobs/chaos-join.ts makes them. */
function pairRows(records: number, keys: number): string[] {
  const rows: string[] = []
  for (let order = 0; order < records; order++) {
    for (let payment = Math.max(0, order - 20); payment < Math.min(records, order + 20); payment++) {
      const laterMs = payment * 20 + 10 - order * 20
      if (laterMs < -100 || laterMs > 200 || order % keys !== (payment * 3) % keys) continue
      rows.push(`${order} ${payment}`)
    }
  }
  return rows
}

const lineOf = (i: number, words: number): string => `key-${i % words} line number ${i} of a file`

function writeLines(folder: string, lines: number, words: number): void {
  mkdirSync(folder, { recursive: true })
  const perFile = 1000
  for (let from = 0; from < lines; from += perFile) {
    const rows = Array.from({ length: Math.min(perFile, lines - from) }, (_, i) => lineOf(from + i, words))
    writeFileSync(join(folder, `${String(from).padStart(9, '0')}.txt`), `${rows.join('\n')}\n`)
  }
}
