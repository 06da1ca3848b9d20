import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem, toUri } from '@flink-ts/filesystem'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CheckpointMetadata, StateLocation } from '../snapshot/state-handle.ts'
import { FileCheckpointStorage } from './file-checkpoint-storage.ts'
import { FileSavepointStorage } from './file-savepoint-storage.ts'

const JOB = 'abcdef0123456789abcdef0123456789'
const fileSystem = new LocalFileSystem()
let directory: string
let storage: FileSavepointStorage
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-savepoints-'))
  storage = new FileSavepointStorage(
    { inlineThresholdBytes: 4 },
    { fileSystemFor: () => fileSystem, random: new SeededRandom(1) },
  )
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(folder: string, text: string): Promise<StateLocation> {
  const output = await storage.streams(folder, 'graph_vertex_0_0').open('keyed')
  await output.write(Buffer.from(text))
  return output.close()
}

function metadata(timestamp: number, ...locations: StateLocation[]): CheckpointMetadata {
  const keyed = locations.map(location => ({ keyGroupRange: { start: 0, end: 0 }, offsets: [0], location }))
  const operatorId = 'a'.repeat(32) as OperatorId
  const subtasks = [{ index: 0, state: { operatorId, keyed, operator: [] } }]
  return {
    ...{ version: 1, checkpointId: 7, jobId: JOB, jobName: 'counts', kind: 'savepoint', timestamp },
    operators: [{ operatorId, name: 'count', parallelism: 1, maxParallelism: 128, subtasks }],
  }
}

function locationsOf(snapshot: CheckpointMetadata): readonly StateLocation[] {
  return snapshot.operators.flatMap(o => o.subtasks.flatMap(s => s.state.keyed.map(h => h.location)))
}

test('a savepoint has a folder named after its job, and works wherever it is moved to', async () => {
  const folder = await storage.newFolder(join(directory, 'deep/er'), JOB)
  expect(folder).toMatch(/\/deep\/er\/savepoint-abcdef-[0-9a-f]{12}$/)
  expect(storage.streams(folder, 'a').selfContained).toBe(true)
  const { pointer } = await storage.complete(
    folder,
    metadata(1, await write(folder, 'large state'), await write(folder, 'abc')),
  )
  expect(pointer).toBe(folder)
  const moved = join(directory, 'moved elsewhere')
  await rename(fileURLToPath(folder), moved)
  for (const name of [moved, toUri(moved), join(moved, '_metadata')]) {
    const [large, small] = locationsOf(await storage.readMetadata(name))
    expect((await storage.read(large!)).toString()).toBe('large state')
    expect((await storage.readRange(large!, 6, 11)).toString()).toBe('state')
    expect((await storage.read(small!)).toString()).toBe('abc')
  }
})

test('state that lies in a checkpoint is copied: the savepoint outlives it', async () => {
  const checkpoints = new FileCheckpointStorage(
    { directory, jobId: JOB, inlineThresholdBytes: 0 },
    { fileSystem, random: new SeededRandom(2) },
  )
  const output = await checkpoints.streams(3, 'finished').open('keyed')
  await output.write(Buffer.from('state of a finished task'))
  const foreign = await output.close()
  const folder = await storage.newFolder(directory, JOB)
  await storage.complete(folder, metadata(1, foreign, await write(folder, 'own state')))
  await checkpoints.discard(3)
  const contents = locationsOf(await storage.readMetadata(folder)).map(location => storage.read(location))
  expect((await Promise.all(contents)).map(String)).toEqual(['state of a finished task', 'own state'])
})

test('disposal removes what the savepoint names and nothing else', async () => {
  const folder = await storage.newFolder(directory, JOB)
  await storage.complete(folder, metadata(1, await write(folder, 'large state')))
  const copy = join(directory, 'copy')
  await cp(fileURLToPath(folder), copy, { recursive: true })
  await writeFile(join(copy, 'notes.txt'), 'mine')
  await storage.dispose(folder)
  await storage.dispose(copy)
  expect(await readdir(directory)).toEqual(['copy'])
  expect(await readdir(copy)).toEqual(['notes.txt'])
  await expect(storage.dispose(copy)).rejects.toMatchObject({ code: 'state.checkpoint-not-found' })
  await writeFile(join(copy, '_metadata'), '{"mine": true}')
  await expect(storage.dispose(copy)).rejects.toMatchObject({ code: 'state.not-a-checkpoint' })
  expect((await readFile(join(copy, '_metadata'))).length).toBeGreaterThan(0)
})

test.each(['dispose', 'discard'] as const)(
  '%s of a checkpoint leaves the files that later ones build upon',
  async remove => {
    const checkpoints = new FileCheckpointStorage(
      { directory, jobId: JOB, inlineThresholdBytes: 0 },
      { fileSystem, random: new SeededRandom(2) },
    )
    const written = async (checkpointId: number, text: string): Promise<StateLocation> => {
      const output = await checkpoints.streams(checkpointId, 'a').open('keyed')
      await output.write(Buffer.from(text))
      return output.close()
    }
    const [base, timers] = [await written(3, 'everything'), await written(3, 'timers')]
    const older = await checkpoints.complete({ ...metadata(1, base, timers), checkpointId: 3 })
    const newer = await checkpoints.complete({
      ...metadata(2, base, await written(4, 'changes')),
      checkpointId: 4,
    })
    await storage[remove](older)
    await expect(storage.readMetadata(older)).rejects.toMatchObject({ code: 'state.checkpoint-not-found' })
    const contents = locationsOf(await storage.readMetadata(newer)).map(location => storage.read(location))
    expect((await Promise.all(contents)).map(String)).toEqual(['everything', 'changes'])
    await expect(storage.read(timers)).rejects.toThrow()
    await storage[remove](newer)
    await expect(storage.readMetadata(newer)).rejects.toMatchObject({ code: 'state.checkpoint-not-found' })
  },
)

test('a checkpoint that goes takes folders with it that were kept for its files only', async () => {
  const options = { directory, jobId: JOB, inlineThresholdBytes: 0 }
  const job = new FileCheckpointStorage(options, { fileSystem, random: new SeededRandom(3) })
  const file = async (id: number): Promise<StateLocation> => {
    const output = await job.streams(id, 'attempt').open('keyed')
    await output.write(Buffer.from(`changes ${id}`))
    return output.close()
  }
  const operatorId = '0'.repeat(32) as OperatorId
  const complete = (id: number, locations: readonly StateLocation[]): Promise<string> => {
    const keyed = locations.map(location => ({ keyGroupRange: { start: 0, end: 0 }, offsets: [0], location }))
    const subtasks = [{ index: 0, state: { operatorId, keyed, operator: [] } }]
    const operators = [{ operatorId, parallelism: 1, maxParallelism: 1, subtasks }]
    return job.complete({ ...metadata(id), checkpointId: id, operators })
  }
  const files = [await file(1), await file(2), await file(3), await file(4)] as const
  await complete(1, [files[0]])
  await complete(2, [files[0], files[1]])
  await complete(3, [files[0], files[1], files[2]])
  const last = await complete(4, [files[0], files[1], files[2], files[3]])
  await job.retire(1)
  await job.retire(1)
  await job.retire(2)
  const folders = async () => (await readdir(join(directory, JOB))).filter(name => name.startsWith('chk-'))
  // 3 is another complete checkpoint: it stays, with what it needs.
  await storage.discard(last)
  expect(await folders()).toEqual(['chk-1', 'chk-2', 'chk-3'])
  await job.discardJob()
  expect(await folders()).toEqual(['chk-1', 'chk-2', 'chk-3'])
  await storage.dispose(join(directory, JOB, 'chk-3'))
  expect(await folders()).toEqual([])
})

test('one that was given up leaves nothing, and a directory that cannot be one is refused', async () => {
  const folder = await storage.newFolder(directory, JOB)
  await write(folder, 'large state')
  await storage.discard(folder)
  await storage.discard(folder)
  expect(await readdir(directory)).toEqual([])
  await writeFile(join(directory, 'file'), '')
  await expect(storage.newFolder(join(directory, 'file'), JOB)).rejects.toMatchObject({
    code: 'state.savepoint-directory-unusable',
    domain: 'user',
  })
})

test('the latest is the newest readable snapshot of that job name, checkpoint or savepoint', async () => {
  const [checkpoints, savepoints] = [join(directory, 'checkpoints'), join(directory, 'savepoints')]
  const checkpoint = async (job: string, id: number, content: CheckpointMetadata): Promise<string> => {
    const options = { directory: checkpoints, jobId: job, inlineThresholdBytes: 0 }
    const target = new FileCheckpointStorage(options, { fileSystem, random: new SeededRandom(3) })
    return target.complete({ ...content, checkpointId: id })
  }
  const latest = async () => (await storage.findLatest([checkpoints, savepoints], 'counts'))?.pointer
  expect(await latest()).toBeUndefined()
  const first = await checkpoint('1'.repeat(32), 5, metadata(100))
  await checkpoint('2'.repeat(32), 9, { ...metadata(900), jobName: 'another' })
  expect(await latest()).toBe(first)
  const folder = await storage.newFolder(savepoints, JOB)
  await storage.complete(folder, metadata(200))
  expect(await latest()).toBe(folder)
  const newest = await checkpoint('3'.repeat(32), 2, metadata(300))
  expect(await latest()).toBe(newest)
  await writeFile(join(fileURLToPath(newest), '_metadata'), 'damaged')
  expect(await latest()).toBe(folder)
})
