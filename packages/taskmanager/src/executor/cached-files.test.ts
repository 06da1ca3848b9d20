import { mkdtempSync } from 'node:fs'
import { access, constants, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type JobId, nullLogger, SystemClock, SystemRandom } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'
import type { CachedContent } from '@flink-ts/jobgraph'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CachedFiles } from './cached-files.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'cached-files-'))
})
afterEach(() => rm(directory, { recursive: true }))

const job = (jobId: string, ...contents: readonly CachedContent[]): JobInformation => {
  const cachedFiles = contents.map((content, i) => {
    return { name: `file ${i}`, uri: `file:///${i}`, executable: i === 0, content }
  })
  const graph = { name: jobId, cachedFiles }
  return { jobId: jobId as JobId, blobAddress: 'jobmanager', graph } as unknown as JobInformation
}
const file = (blobKey: string): CachedContent => ({ type: 'file', blobKey })

/** Blobs whose content is their key. */
function cachedFiles(get = async (_key: string): Promise<void> => {}) {
  const fetched: string[] = []
  const blobs = {
    get: async (_address: string, key: string, target: string) => {
      await get(key)
      fetched.push(key)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, key)
    },
  }
  const dependencies = { blobs, clock: new SystemClock(), random: new SystemRandom(), logger: nullLogger }
  return { files: new CachedFiles({ directory }, dependencies), fetched }
}

test('all slots of a job share one copy, which goes with the job', async () => {
  const { files, fetched } = cachedFiles()
  const one = job('one', file('a'), { type: 'folder', files: { 'b.txt': 'b', 'deep/c.txt': 'c' } })
  const paths = files.paths(one)
  await Promise.all([files.fetch(one), files.fetch(one)])
  await files.fetch(one)
  expect(fetched).toEqual(['a', 'b', 'c'])
  expect(await readFile(paths['file 0'] as string, 'utf8')).toBe('a')
  await access(paths['file 0'] as string, constants.X_OK)
  expect((await readdir(paths['file 1'] as string, { recursive: true })).sort()).toEqual([
    'b.txt',
    'deep',
    'deep/c.txt',
  ])
  const other = job('other', file('a'))
  await files.fetch(other)
  await files.release(one.jobId)
  expect(await readdir(directory)).toHaveLength(1)
  expect(await readFile(files.paths(other)['file 0'] as string, 'utf8')).toBe('a')
  await files.release(other.jobId)
  expect(await readdir(directory)).toEqual([])
})

test('a job that comes back while its copies are removed gets new ones', async () => {
  const { files } = cachedFiles()
  const one = job('one', file('a'))
  await files.fetch(one)
  const released = files.release(one.jobId)
  const paths = files.paths(one)
  await Promise.all([released, files.fetch(one)])
  expect(await readFile(paths['file 0'] as string, 'utf8')).toBe('a')
})

test('copies that failed are fetched again by the next deployment', async () => {
  let fails = true
  const { files } = cachedFiles(async () => {
    if (fails) throw new Error('no such blob')
  })
  const one = job('one', file('a'))
  await expect(files.fetch(one)).rejects.toMatchObject({ code: 'taskmanager.cached-file-unavailable' })
  fails = false
  await files.fetch(one)
  expect(await readFile(files.paths(one)['file 0'] as string, 'utf8')).toBe('a')
})

test.each(['../a', 'a/../../b', '/etc/passwd', 'a//b', '.', 'a\\b', 'a\0'])(
  'the path %j does not leave the folder',
  async path => {
    const { files, fetched } = cachedFiles()
    const wrong = job('one', { type: 'folder', files: { [path]: 'a' } })
    await expect(files.fetch(wrong)).rejects.toMatchObject({ code: 'taskmanager.cached-file-invalid' })
    expect(fetched).toEqual([])
  },
)
