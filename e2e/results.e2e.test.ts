import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/results.ts')

/** The sum of each sensor in each second in which it has a reading. */
function expectedSums(): readonly string[] {
  const sums = new Map<string, number>()
  for (let i = 0; i < 5000; i++) {
    const key = `sensor-${i % 7} ${Math.floor((i * 3) / 1000) * 1000 + 999}`
    sums.set(key, (sums.get(key) ?? 0) + (i % 11))
  }
  return [...sums].map(([key, sum]) => `${key} ${sum}`).sort()
}

test.each([
  ['built', false],
  ['bundled', true],
])(
  'three jobs of one program on two %s TaskManagers give what a plain computation gives',
  async (_, bundled) => {
    if (bundled) execFileSync(process.execPath, [join(REPOSITORY, 'tools/bundle-runtime.mjs')])
    const cluster = await TestCluster.start({ taskManagers: 2, slots: 1, bundled })
    const lines = Array.from({ length: 3000 }, (_, i) => `line ${i} \u00fcber ${'x'.repeat(i % 50)}`)
    const text = join(cluster.folder, 'text.txt')
    writeFileSync(text, `${lines.join('\n')}\n`)
    const { code, stdout, stderr } = await cluster.flink('run', JOB, text).finished
    expect(code, stderr).toBe(0)
    const output = stdout.trimEnd().split('\n')
    expect(output.filter(line => line.startsWith('Job has been submitted')).length).toBe(3)
    const { words, sums } = JSON.parse(output.at(-1) ?? '') as { words: string[]; sums: string[] }
    const expectedWords = [...lines.flatMap(line => line.split(' ')), 'one', 'two', 'three']
    expect(words.sort()).toEqual(expectedWords.map(word => word.toUpperCase()).sort())
    expect(sums.sort()).toEqual(expectedSums())

    const printed = ['taskmanager-0', 'taskmanager-1'].flatMap(name =>
      readFileSync(join(cluster.folder, `${name}.log`), 'utf8')
        .split('\n')
        .filter(line => line.startsWith('seen')),
    )
    expect(printed.map(line => line.replace(/^seen:[12]> /, '')).sort()).toEqual([
      `sums ${sums.length}`,
      `words ${words.length}`,
    ])
    expect(new Set(printed.map(line => line.slice(0, 7)))).toEqual(new Set(['seen:1>', 'seen:2>']))
    expect(await cluster.stop()).toEqual([])
  },
)
