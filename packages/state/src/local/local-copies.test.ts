import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger, type Logger, SeededRandom } from '@flink-ts/common'
import { type FileSystem, LocalFileSystem, toUri } from '@flink-ts/filesystem'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StateLocation } from '../snapshot/state-handle.ts'
import type { CheckpointStorage } from '../storage/checkpoint-storage.ts'
import { FileCheckpointStorage } from '../storage/file-checkpoint-storage.ts'
import { LocalCopies } from './local-copies.ts'
import { LocallyCopiedStorage } from './locally-copied-storage.ts'

let folder: string
let remote: CheckpointStorage
let logged: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flink-local-copies-'))
  logged = []
  remote = new FileCheckpointStorage(
    { directory: join(folder, 'remote'), jobId: 'job', inlineThresholdBytes: 10 },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
  )
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const local = (...parts: string[]): string => join(folder, 'local', ...parts)

/** As a slot thread makes it: knows nothing of copies but what is on the disk. */
function storage(
  fileSystem: FileSystem = new LocalFileSystem(),
  use = { write: true, read: true },
): CheckpointStorage {
  const note = (_: unknown, message: string): void => {
    logged.push(message)
  }
  const logger = { info: () => {}, warn: note } as unknown as Logger
  const copies = new LocalCopies(
    { folders: [toUri(local()), toUri(join(folder, 'other'))] },
    { fileSystem, random: new SeededRandom(2), logger },
  )
  return new LocallyCopiedStorage(use, { storage: remote, copies })
}

async function write(content: Uint8Array, to = storage(), checkpointId = 3): Promise<StateLocation> {
  const output = await to.streams(checkpointId, 'attempt').open('keyed')
  const middle = Math.floor(content.length / 2)
  await output.write(content.subarray(0, middle))
  await output.write(content.subarray(middle))
  return output.close()
}

function remoteFile(location: StateLocation): string {
  if (location.type !== 'file') throw new Error('inline')
  return new URL(location.path).pathname
}

const CONTENT = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251))

test('any range of any content comes from the copy as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 11, maxLength: 200_000 }),
      fc.nat(),
      fc.nat(),
      async (content, a, b) => {
        const location = await write(content)
        // Only the copy is left.
        rmSync(remoteFile(location))
        const [start, end] = [a % content.length, b % content.length].sort((x, y) => x - y) as [
          number,
          number,
        ]
        const reader = storage()
        expect(await reader.readRange(location, start, end)).toEqual(
          Buffer.from(content.subarray(start, end)),
        )
        expect(await reader.read(location)).toEqual(Buffer.from(content))
      },
    ),
    { numRuns: 20 },
  )
})

test('a copy has the name of its original; state that is inline has none', async () => {
  const location = await write(CONTENT)
  expect(readdirSync(local('chk-3'))).toEqual([remoteFile(location).split('/').at(-1)])
  await write(Buffer.from('short'), storage(), 4)
  expect(readdirSync(local())).toEqual(['chk-3'])
})

test.each([
  [
    'a flipped bit',
    (file: string) =>
      writeFileSync(
        file,
        readFileSync(file).map((byte, i) => (i === 4000 ? byte ^ 1 : byte)),
      ),
  ],
  ['a file cut short', (file: string) => truncateSync(file, 4000)],
  ['a file cut before its tail', (file: string) => truncateSync(file, CONTENT.length)],
  [
    'a file that is too long',
    (file: string) => writeFileSync(file, Buffer.concat([readFileSync(file), Buffer.from('x')])),
  ],
])('%s: the storage is read, and the copy removed', async (_, damage) => {
  const location = await write(CONTENT)
  const copy = local('chk-3', readdirSync(local('chk-3'))[0] as string)
  damage(copy)
  const reader = storage()
  expect(await reader.readRange(location, 10, 20)).toEqual(CONTENT.subarray(10, 20))
  expect(await reader.read(location)).toEqual(CONTENT)
  expect(readdirSync(local('chk-3'))).toEqual([])
  expect(logged).toEqual(['Local copy of state is damaged: the checkpoint storage is read'])
})

test('a copy that is gone, before or while it is read, costs nothing but the copy', async () => {
  const location = await write(CONTENT)
  const reader = storage()
  expect(await reader.readRange(location, 0, 5)).toEqual(CONTENT.subarray(0, 5))
  rmSync(local(), { recursive: true })
  expect(await reader.readRange(location, 5, 10)).toEqual(CONTENT.subarray(5, 10))
  expect(await storage().read(location)).toEqual(CONTENT)
})

test('a full disk costs the copy, not the checkpoint, and is said once for a checkpoint', async () => {
  const full = new LocalFileSystem()
  const create = full.create.bind(full)
  full.create = async (uri, mode) => {
    const file = await create(uri, mode)
    file.write = () => Promise.reject(new Error('no space left on device'))
    return file
  }
  const to = storage(full)
  const locations = [await write(CONTENT, to), await write(CONTENT, to)]
  for (const location of locations) expect(await storage().read(location)).toEqual(CONTENT)
  expect(logged).toEqual(['Local copy of state not written: a restart reads it from the checkpoint storage'])
  expect(readdirSync(local('chk-3'))).toEqual([])
})

test('an output that is given up leaves neither file', async () => {
  const output = await storage().streams(3, 'attempt').open('keyed')
  await output.write(Buffer.alloc(100_000, 1))
  await output.discard()
  expect(readdirSync(local('chk-3'))).toEqual([])
  expect(readdirSync(join(folder, 'remote/job/chk-3'))).toEqual([])
})

test('an original that fails fails the checkpoint and leaves no copy', async () => {
  const sound = remote
  const broken: CheckpointStorage = Object.create(sound)
  broken.streams = (...args) => {
    const streams = sound.streams(...args)
    return {
      open: async purpose => {
        const output = await streams.open(purpose)
        output.close = () => Promise.reject(new Error('the storage is gone'))
        return output
      },
    }
  }
  remote = broken
  await expect(write(Buffer.alloc(100_000, 1))).rejects.toThrow('the storage is gone')
  expect(readdirSync(local('chk-3'))).toEqual([])
})

test('copies are made without being used, and used without being made, as it is configured', async () => {
  const location = await write(CONTENT, storage(undefined, { write: true, read: false }))
  expect(readdirSync(local('chk-3'))).toHaveLength(1)
  rmSync(remoteFile(location))
  await expect(storage(undefined, { write: true, read: false }).read(location)).rejects.toThrow()
  expect(await storage(undefined, { write: false, read: true }).read(location)).toEqual(CONTENT)
  await write(CONTENT, storage(undefined, { write: false, read: true }), 4)
  expect(readdirSync(local())).toEqual(['chk-3'])
})

test('a copy that another slot has written is found in its folder', async () => {
  const location = await write(CONTENT)
  rmSync(remoteFile(location))
  const logger = createLogger({ level: 'error' })
  const copies = new LocalCopies(
    { folders: [toUri(join(folder, 'other')), toUri(local())] },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(2), logger },
  )
  const reader = new LocallyCopiedStorage({ write: true, read: true }, { storage: remote, copies })
  expect(await reader.read(location)).toEqual(CONTENT)
})
