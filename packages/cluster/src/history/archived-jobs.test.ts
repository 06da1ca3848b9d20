import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type JobId, type Logger, ManualClock, nullLogger } from '@flink-ts/common'
import type { FinishedJob } from '@flink-ts/dispatcher'
import { type FileSystem, fileSystemFor } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ArchivedJobs } from './archived-jobs.ts'
import { JobArchive } from './job-archive.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-history-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ids = ['a', 'b', 'c'].map(letter => letter.repeat(32) as JobId)

function finished(jobId: JobId): FinishedJob {
  const times = { startTime: 1, endTime: 2, lastModification: 2 }
  const details = { jobId, name: `job ${jobId[0]}`, status: 'FINISHED', ...times, tasks: {} }
  return { details, checkpoints: {}, attempts: [], result: {} } as unknown as FinishedJob
}

/** A history of one folder, and what it has said. */
function history(retainedJobs = -1, broken: Partial<FileSystem> = {}) {
  const directory = pathToFileURL(join(folder, 'archive')).href
  const said: string[] = []
  const logger = {
    ...nullLogger,
    warn: (_fields: object, message: string) => said.push(message),
    info: (_fields: object, message: string) => said.push(message),
  } as unknown as Logger
  const real = fileSystemFor(directory)
  const fileSystem = new Proxy(real, {
    get: (target, name: keyof FileSystem) => {
      const method = broken[name] ?? target[name]
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
  const archive = new JobArchive({ directory }, { fileSystem, logger: nullLogger })
  const jobs = new ArchivedJobs(
    { refreshIntervalMs: 1000, retainedJobs },
    { archives: [archive], clock: new ManualClock(), logger },
  )
  const names = async () => (await jobs.listJobs()).map(({ name }) => name).sort()
  return { archive, jobs, said, names }
}

it('shows what is archived, and what comes later', async () => {
  mkdirSync(join(folder, 'archive'))
  const { archive, jobs, names } = history()
  await archive.keep(finished(ids[0] as JobId))
  await jobs.refresh()
  expect(await names()).toEqual(['job a'])
  await archive.keep(finished(ids[1] as JobId))
  await jobs.refresh()
  expect(await names()).toEqual(['job a', 'job b'])
  expect((await jobs.requestJobDetails(ids[1] as JobId)).name).toBe('job b')
  await expect(jobs.requestJobDetails(ids[2] as JobId)).rejects.toThrow(/There is no archive of job c/)
})

it('keeps its list while storage is away, says so once, and goes on when it is back', async () => {
  mkdirSync(join(folder, 'archive'))
  const broken: Partial<FileSystem> = {}
  const { archive, jobs, said, names } = history(-1, broken)
  await archive.keep(finished(ids[0] as JobId))
  await jobs.refresh()
  await archive.keep(finished(ids[1] as JobId))
  broken.list = () => Promise.reject(new Error('no route to host'))
  await jobs.refresh()
  await jobs.refresh()
  expect(await names()).toEqual(['job a'])
  expect((await jobs.requestJobDetails(ids[0] as JobId)).name).toBe('job a')
  delete broken.list
  await jobs.refresh()
  expect(await names()).toEqual(['job a', 'job b'])
  expect(said).toEqual([
    expect.stringMatching(/^Archives of jobs cannot be listed/),
    'Archives of jobs can be listed again',
  ])
})

it('says that a folder has vanished, and shows its jobs again when it is back', async () => {
  mkdirSync(join(folder, 'archive'))
  const { archive, jobs, said, names } = history()
  await archive.keep(finished(ids[0] as JobId))
  await jobs.refresh()
  renameSync(join(folder, 'archive'), join(folder, 'elsewhere'))
  // Between two looks: it is still listed.
  await expect(jobs.requestJobDetails(ids[0] as JobId)).rejects.toThrow(/There is no archive of job a/)
  await jobs.refresh()
  await jobs.refresh()
  expect(await names()).toEqual([])
  expect(said).toEqual([expect.stringMatching(/^All archives of jobs are gone/)])
  renameSync(join(folder, 'elsewhere'), join(folder, 'archive'))
  await jobs.refresh()
  expect((await jobs.requestJobDetails(ids[0] as JobId)).name).toBe('job a')
})

it('leaves out an archive that is damaged, and reads it once', async () => {
  mkdirSync(join(folder, 'archive'))
  const reads: string[] = []
  const { archive, jobs, said, names } = history(-1, {
    readFile: async uri => {
      reads.push(uri)
      return Buffer.from('something else')
    },
  })
  await archive.keep(finished(ids[0] as JobId))
  writeFileSync(join(folder, 'archive', 'notes.txt'), 'not an archive')
  await jobs.refresh()
  await jobs.refresh()
  expect(await names()).toEqual([])
  expect(reads).toHaveLength(1)
  expect(said).toEqual(['An archive of a job is left out'])
})

it('removes what is beyond the number to keep, and shows the others even if it cannot', async () => {
  mkdirSync(join(folder, 'archive'))
  const broken: Partial<FileSystem> = {}
  const { archive, jobs, said, names } = history(1, broken)
  for (const [index, id] of ids.slice(0, 2).entries()) {
    await archive.keep(finished(id))
    utimesSync(join(folder, 'archive', id), 1000 + index, 1000 + index)
  }
  broken.delete = () => Promise.reject(new Error('read-only'))
  await jobs.refresh()
  expect(await names()).toEqual(['job b'])
  expect(said).toEqual([expect.stringMatching(/cannot be removed/)])
  delete broken.delete
  await jobs.refresh()
  expect(said.at(-1)).toBe('Archive removed')
  expect(await archive.list()).toMatchObject([{ jobId: ids[1] }])
})
