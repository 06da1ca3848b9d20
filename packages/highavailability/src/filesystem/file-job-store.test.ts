import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type JobId, type LeaderSessionId, nullLogger } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import type { BlobStore } from '@flink-ts/rpc'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LeaderTerm } from '../leader/leader-term.ts'
import { KeptBlobs } from '../store/kept-blobs.ts'
import { FileJobStore } from './file-job-store.ts'

const JOB = 'a'.repeat(32) as JobId
const KEY = 'b'.repeat(64)
const CONTENT = Buffer.from('a program')
const blobs: BlobStore = {
  has: async () => true,
  put: async () => {},
  async *read() {
    yield CONTENT.subarray(0, 3)
    yield CONTENT.subarray(3)
  },
  delete: async () => {},
}
let folder: string
let highest: number

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'file-job-store-'))
  highest = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The store as the leader of the next epoch has it. */
function nextLeader(): FileJobStore {
  const epoch = ++highest
  const term = new LeaderTerm(
    { epoch, leaderSessionId: 'x' as LeaderSessionId },
    { highest: async () => highest, onOvertaken: () => {} },
  )
  return new FileJobStore(
    { folder: pathToFileURL(folder).href },
    { fileSystem: new LocalFileSystem(), term, blobs, logger: nullLogger },
  )
}

async function contentOf(parts: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all).toString()
}

test('a job with its program goes from leader to leader; of its end only what is needed stays', async () => {
  const first = nextLeader()
  expect(await first.list()).toEqual([])
  await first.add(JOB, { graph: { name: 'x' }, not: undefined }, [KEY])
  const second = nextLeader()
  const [found] = await second.list()
  expect(found).toEqual({
    jobId: JOB,
    record: { status: 'running', progress: undefined },
    submission: { graph: { name: 'x' }, not: undefined },
    blobKeys: [KEY],
  })
  expect(await contentOf(second.readBlob(JOB, KEY))).toBe('a program')
  // Killed while it wrote.
  writeFileSync(join(folder, JOB, '.record-000000000001.8a867cd2e4feb493.tmp'), 'half a rec')
  await second.record(JOB, { status: 'over', endedAt: 5, outcome: 'done', leftovers: undefined })
  expect(readdirSync(join(folder, JOB))).toEqual(['record-000000000002'])
  const third = nextLeader()
  expect(await third.list()).toMatchObject([{ record: { outcome: 'done' }, submission: undefined }])
  await third.remove(JOB)
  expect(readdirSync(folder)).toEqual([])
})

test('what a leader writes after its time is refused and never counts', async () => {
  const first = nextLeader()
  await first.add(JOB, 'program', [])
  const second = nextLeader()
  await second.record(JOB, { status: 'running', progress: undefined })
  const late = { status: 'over', endedAt: 5, outcome: 'late', leftovers: undefined } as const
  await expect(first.record(JOB, late)).rejects.toMatchObject({ code: 'highavailability.leadership-lost' })
  await expect(first.remove(JOB)).rejects.toMatchObject({ code: 'highavailability.leadership-lost' })
  expect(await nextLeader().list()).toMatchObject([{ record: { status: 'running' } }])
})

test('a damaged job is left as it is, and stops no other', async () => {
  const first = nextLeader()
  const other = 'c'.repeat(32) as JobId
  await first.add(JOB, 'program', [])
  await first.add(other, 'program', [])
  writeFileSync(join(folder, JOB, 'submission'), 'not what was written')
  expect(await nextLeader().list()).toMatchObject([{ jobId: other }])
  expect(readdirSync(join(folder, JOB))).toHaveLength(2)
})

test('what was never accepted, and late words about a forgotten job, are removed', async () => {
  const first = nextLeader()
  await first.add(JOB, 'program', [])
  rmSync(join(folder, JOB, 'record-000000000001'))
  const other = 'c'.repeat(32) as JobId
  await first.record(other, { status: 'running', progress: undefined })
  expect(await nextLeader().list()).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('a blob that went with its job is not there any more', async () => {
  const store = nextLeader()
  await store.add(JOB, 'program', [KEY])
  const received: string[] = []
  const kept = new KeptBlobs({
    has: async () => false,
    put: async (_key, parts) => void received.push(await contentOf(parts)),
    read: () => blobs.read(KEY),
    delete: async () => {},
  })
  kept.keep(KEY, () => store.readBlob(JOB, KEY))
  expect(await kept.has(KEY)).toBe(true)
  expect(received).toEqual(['a program'])
  await store.remove(JOB)
  expect(await kept.has(KEY)).toBe(false)
})
