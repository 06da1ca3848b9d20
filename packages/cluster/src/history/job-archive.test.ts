import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type JobId, nullLogger } from '@flink-ts/common'
import type { FinishedJob } from '@flink-ts/dispatcher'
import { fileSystemFor } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { JobArchive } from './job-archive.ts'

const SAMPLE = fileURLToPath(new URL('testdata/archive-1', import.meta.url))
const JOB = '0123456789abcdef0123456789abcdef' as JobId

/** Of each kind of value that an archive has: the fields that there are may become more. */
const CONTENT = {
  details: {
    jobId: JOB,
    name: 'flüge ✈',
    status: 'FAILED',
    startTime: 1_700_000_000_000,
    endTime: 1_700_000_012_345,
    lastModification: 1_700_000_012_345,
    tasks: { finished: 1, failed: 1 },
    vertices: [{ id: 'f'.repeat(32), name: 'source', parallelism: 2, metrics: { 'records-in': 0.5 } }],
  },
  checkpoints: { counts: { completed: 3, failed: 0 }, history: [], latest: undefined },
  attempts: [{ vertexId: 'f'.repeat(32), attempts: [{ attempt: 0, host: null, failed: true }] }],
  result: { status: 'FAILED', error: { code: 'operators.user-function-failed', message: 'no' } },
} as unknown as FinishedJob

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-archive-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function archive(): JobArchive {
  const directory = pathToFileURL(folder).href
  return new JobArchive({ directory }, { fileSystem: fileSystemFor(directory), logger: nullLogger })
}

it('reads the sample of version 1, for ever', async () => {
  copyFileSync(SAMPLE, join(folder, JOB))
  expect(await archive().list()).toMatchObject([{ jobId: JOB }])
  expect(await archive().read(JOB)).toEqual(CONTENT)
})

it('writes what the sample has: another layout is another version', async () => {
  await archive().keep(CONTENT)
  expect(readFileSync(join(folder, JOB)).equals(readFileSync(SAMPLE))).toBe(true)
})
