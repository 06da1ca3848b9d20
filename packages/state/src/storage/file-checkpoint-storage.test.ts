import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type OperatorId, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem, toUri } from '@flink-ts/filesystem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CheckpointMetadata, StateLocation } from '../snapshot/state-handle.ts'
import { FileCheckpointStorage } from './file-checkpoint-storage.ts'

let directory: string
let storage: FileCheckpointStorage
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-checkpoints-'))
  storage = storageOf(1)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

function storageOf(seed: number, jobId = 'job'): FileCheckpointStorage {
  return new FileCheckpointStorage(
    { directory, jobId, inlineThresholdBytes: 10 },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(seed) },
  )
}

async function write(text: string, checkpointId = 1, attempt = 'graph_vertex_0_0'): Promise<StateLocation> {
  const output = await storage.streams(checkpointId, attempt).open('keyed')
  for (const part of text.split(' ')) await output.write(Buffer.from(part))
  return output.close()
}

function metadata(checkpointId: number, ...locations: StateLocation[]): CheckpointMetadata {
  const operatorId = 'a'.repeat(32) as OperatorId
  const keyed = locations.map(location => ({
    keyGroupRange: { start: 0, end: 1 },
    offsets: [-1, 20],
    location,
  }))
  const operator = [
    { states: [{ name: 's', mode: 'split' as const, offsets: [12] }], location: locations[0] as never },
  ]
  return {
    version: 1,
    checkpointId,
    jobId: 'job',
    timestamp: 1234,
    operators: [
      {
        operatorId,
        parallelism: 1,
        maxParallelism: 2,
        subtasks: [{ index: 0, state: { operatorId, keyed, operator } }],
      },
    ],
  }
}

const coded = (code: string): unknown => expect.objectContaining({ code: `state.${code}` })

describe('state files', () => {
  test('small ones are inline, larger ones have purpose and attempt in their names, never the same', async () => {
    const small = await write('0123 45678')
    expect(small).toEqual({ type: 'inline', base64: Buffer.from('012345678').toString('base64') })
    expect((await storage.read(small)).toString()).toBe('012345678')
    expect((await storage.readRange(small, 2, 4)).toString()).toBe('23')
    expect(await readdir(directory)).toEqual([])
    const large = await write('0123456 789ab')
    const again = await write('0123456 789ab')
    expect(large).toMatchObject({ type: 'file', sizeBytes: 12 })
    expect(large).not.toEqual(again)
    for (const name of await readdir(join(directory, 'job', 'chk-1'))) {
      expect(name).toMatch(/^keyed-graph_vertex_0_0-[0-9a-f]{16}$/)
    }
    expect((await storage.read(large)).toString()).toBe('0123456789ab')
    expect((await storage.readRange(large, 9, 99)).toString()).toBe('9ab')
  })

  test('a buffer that the caller uses again does no harm, and sizes beyond the buffer are right', async () => {
    const output = await storage.streams(1, 'a').open('keyed')
    const buffer = Buffer.alloc(5000)
    const expected: Buffer[] = []
    for (let i = 0; i < 60; i++) {
      buffer.fill(i)
      expected.push(Buffer.from(buffer))
      expect(output.position).toBe(i * 5000)
      await output.write(buffer)
    }
    expect((await storage.read(await output.close())).equals(Buffer.concat(expected))).toBe(true)
  })

  test('discard removes the file, odd attempts do not lead elsewhere', async () => {
    const output = await storage.streams(1, '../../x').open('../y')
    await output.write(Buffer.alloc(100_000))
    expect(await readdir(join(directory, 'job', 'chk-1'))).toHaveLength(1)
    await output.discard()
    expect(await readdir(join(directory, 'job', 'chk-1'))).toEqual([])
    expect(() => storageOf(1, '../job')).toThrow(/can't be a name/)
  })

  test('a file that was cut says so', async () => {
    const location = await write('0123456789abcdef')
    if (location.type !== 'file') throw new Error('file expected')
    await writeFile(new URL(location.path), 'short')
    await expect(storage.read(location)).rejects.toEqual(coded('corrupt-snapshot'))
    await expect(storage.readRange(location, 0, 2)).rejects.toEqual(coded('corrupt-snapshot'))
  })
})

describe('completing', () => {
  test('metadata comes back by folder and by file, as URI and as path', async () => {
    const content = metadata(7, await write('0123456789abcdef', 7), await write('inline', 7))
    const pointer = await storage.complete(content)
    expect(pointer).toBe(toUri(join(directory, 'job', 'chk-7')))
    const folder = join(directory, 'job', 'chk-7')
    for (const p of [pointer, `${pointer}/`, `${pointer}/_metadata`, folder, join(folder, '_metadata')]) {
      expect(await storage.readMetadata(p)).toEqual(content)
    }
    expect((await readdir(join(directory, 'job'))).sort()).toEqual(['chk-7', 'shared', 'taskowned'])
    expect((await readdir(folder)).filter(name => name.startsWith('.'))).toEqual([])
  })

  test('of two coordinators one wins and nothing of it is changed', async () => {
    const location = await write('0123456789abcdef', 3)
    const results = await Promise.allSettled([
      storage.complete({ ...metadata(3, location), timestamp: 1 }),
      storageOf(2).complete({ ...metadata(3, location), timestamp: 2 }),
    ])
    const winner = results.findIndex(r => r.status === 'fulfilled')
    expect(results[1 - winner]).toMatchObject({ reason: { code: 'state.checkpoint-already-completed' } })
    expect((await storage.readMetadata(join(directory, 'job', 'chk-3'))).timestamp).toBe(winner + 1)
  })

  test('a folder that was moved or copied is restored from its new place', async () => {
    const pointer = await storage.complete(metadata(1, await write('0123456789abcdef')))
    const stored = await readFile(new URL(`${pointer}/_metadata`), 'utf8')
    expect(stored).not.toContain(directory)
    await cp(join(directory, 'job', 'chk-1'), join(directory, 'copy of it'), { recursive: true })
    await rename(join(directory, 'job'), join(directory, 'gone'))
    const moved = await storage.readMetadata(join(directory, 'copy of it'))
    const location = moved.operators[0]?.subtasks[0]?.state.keyed[0]?.location as StateLocation
    expect((await storage.read(location)).toString()).toBe('0123456789abcdef')
  })

  test('shared files and files elsewhere are found again', async () => {
    const shared = `${toUri(directory)}/job/shared/x%20y`
    const elsewhere = `${toUri(directory)}/other/chk-1/z`
    const content = metadata(
      1,
      ...[shared, elsewhere].map(path => ({ type: 'file', path, sizeBytes: 1 }) as const),
    )
    const pointer = await storage.complete(content)
    expect(await readFile(new URL(`${pointer}/_metadata`), 'utf8')).toContain('"../shared/x%20y"')
    expect(await storage.readMetadata(pointer)).toEqual(content)
  })
})

test('records on their way are in the metadata, under a version of their own', async () => {
  const location = await write('0123456789abcdef')
  const content = metadata(1, location)
  const [operator] = content.operators
  const [subtask] = operator?.subtasks ?? []
  if (operator === undefined || subtask === undefined) throw new Error('no operator')
  const inputs = [
    {
      ...{ subtask: 0, parallelism: 1, location },
      channels: [
        {
          ...{ input: 0, source: operator.operatorId },
          batches: [{ offset: 8, sizeBytes: 4, skip: 1, crc: 7 }],
        },
      ],
    },
  ]
  const subtasks = [{ ...subtask, state: { ...subtask.state, inputs } }]
  const pointer = await storage.complete({ ...content, operators: [{ ...operator, subtasks }] })
  const stored = await readFile(new URL(`${pointer}/_metadata`), 'utf8')
  expect(stored).not.toContain(directory)
  const read = await storage.readMetadata(pointer)
  expect(read.version).toBe(2)
  expect(read.operators[0]?.subtasks[0]?.state.inputs).toEqual(inputs)
})

describe('what is no checkpoint', () => {
  test.each([
    ['no JSON', '\0\0\0', 'not-a-checkpoint'],
    ['other JSON', '{"version":1}', 'not-a-checkpoint'],
    ['null', 'null', 'not-a-checkpoint'],
    ['newer', '{"format":"flink-ts checkpoint","version":99}', 'newer-format'],
    ['empty', '', 'not-a-checkpoint'],
    ['damaged', '{"format":"flink-ts checkpoint","version":1,"checkpointId":1}', 'not-a-checkpoint'],
  ])('%s', async (_, content, code) => {
    await writeFile(join(directory, '_metadata'), content)
    await expect(storage.readMetadata(directory)).rejects.toEqual(coded(code))
  })

  test('a stored name that leads elsewhere is refused', async () => {
    for (const path of ['../../x', '../x/../../y', 'a//b', '/etc/x', '..']) {
      const pointer = join(directory, 'job', 'chk-1')
      await storage.complete(metadata(1, { type: 'file', path: 'file:///marker', sizeBytes: 1 }))
      const text = await readFile(join(pointer, '_metadata'), 'utf8')
      await writeFile(join(pointer, '_metadata'), text.replaceAll('file:///marker', path))
      await expect(storage.readMetadata(pointer)).rejects.toEqual(coded('corrupt-snapshot'))
      await storage.discard(1)
    }
  })

  test('missing ones: the message proposes what is there', async () => {
    await expect(storage.readMetadata(join(directory, 'none'))).rejects.toThrow(/does not exist/)
    await storage.complete(metadata(9, await write('a', 9)))
    await storage.complete(metadata(10, await write('a', 10)))
    const failure = storage.readMetadata(join(directory, 'job'))
    await expect(failure).rejects.toEqual(coded('checkpoint-not-found'))
    await expect(failure).rejects.toThrow(/Did you mean .*chk-10\?/)
  })
})

describe('storage that fails', () => {
  test('before the job: a folder that is a file is refused with its name, a usable one stays as it was', async () => {
    await storage.prepare()
    expect(await readdir(directory)).toEqual([])
    await rm(directory, { recursive: true })
    await storage.prepare()
    expect(await readdir(directory)).toEqual([])
    await rm(directory, { recursive: true })
    await writeFile(directory, '')
    await expect(storage.prepare()).rejects.toMatchObject({
      code: 'state.checkpoint-directory-unusable',
      domain: 'user',
      retry: 'no',
    })
    await expect(storage.prepare()).rejects.toThrow(
      `No checkpoints can be written to ${toUri(directory)}. Could not write`,
    )
  })

  test.each(['removed', 'a file'])(
    'in the middle of a job: what is %s may be whole again later',
    async kind => {
      const location = await write('0123456789abcdef')
      const open = await storage.streams(2, 'a').open('keyed')
      await rm(directory, { recursive: true })
      if (kind === 'a file') await writeFile(directory, '')
      const failed = expect.objectContaining({
        code: 'state.checkpoint-storage-failed',
        domain: 'external',
        retry: 'backoff',
      })
      await expect(storage.read(location)).rejects.toEqual(failed)
      await expect(storage.readRange(location, 0, 2)).rejects.toEqual(failed)
      if (kind === 'removed') return
      const content = metadata(1, location)
      await expect(storage.complete(content)).rejects.toEqual(failed)
      await expect(storage.complete(content)).rejects.toThrow(`${toUri(directory)}: it is not a folder.`)
      await expect(open.write(Buffer.alloc(100_000))).rejects.toEqual(failed)
      await expect(open.close()).rejects.toEqual(failed)
      await rm(directory)
      await storage.complete(content)
    },
  )
})

describe('discarding', () => {
  test('a checkpoint: idempotent, others stay', async () => {
    await storage.complete(metadata(1, await write('0123456789abcdef', 1)))
    await storage.complete(metadata(2, await write('0123456789abcdef', 2)))
    await storage.discard(1)
    await storage.discard(1)
    expect((await readdir(join(directory, 'job'))).sort()).toEqual(['chk-2', 'shared', 'taskowned'])
  })

  test('a job: all of it goes unless a complete checkpoint is retained', async () => {
    await storage.complete(metadata(1, await write('0123456789abcdef', 1)))
    await write('0123456789abcdef', 2)
    await storage.discardJob()
    expect((await readdir(join(directory, 'job'))).sort()).toEqual(['chk-1', 'shared', 'taskowned'])
    await storage.discard(1)
    await storage.discardJob()
    await storage.discardJob()
    expect(await readdir(directory)).toEqual([])
  })
})
