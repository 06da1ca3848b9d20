import { mkdtempSync } from 'node:fs'
import { open as openFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { keyGroupRangeOf } from '@flink-ts/serialization'
import { afterAll, expect, test } from 'vitest'
import type { KeyedStateBackend } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { SnapshotCompression } from '../../snapshot/keyed-format.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import { FileCheckpointStorage } from '../../storage/file-checkpoint-storage.ts'
import { createHashMapKeyedStateBackend } from './create-hash-map-keyed-state-backend.ts'

const MAX_PARALLELISM = 16
const ALL = { start: 0, end: MAX_PARALLELISM - 1 }
const internal = (name: string): StateDescriptor<never> => ({ kind: 'internal', name })

const directory = mkdtempSync(join(tmpdir(), 'flink-state-'))
afterAll(() => rm(directory, { recursive: true, force: true }))
const storageWith = (inlineThresholdBytes: number): FileCheckpointStorage =>
  new FileCheckpointStorage(
    { directory, jobId: 'job', inlineThresholdBytes },
    { fileSystem: new LocalFileSystem(), random: new SeededRandom(1) },
  )
const files = storageWith(0)
const inline = storageWith(1 << 20)

const open = (
  restored: readonly KeyedStateHandle[],
  range = ALL,
  compression: SnapshotCompression = 'none',
): Promise<KeyedStateBackend> =>
  createHashMapKeyedStateBackend(
    { keyGroupRange: range, maxParallelism: MAX_PARALLELISM, compression },
    restored,
    files,
  )
const take = (
  backend: KeyedStateBackend,
  storage: FileCheckpointStorage,
): Promise<readonly KeyedStateHandle[]> =>
  backend.snapshot(1, storage.streams(1, 'attempt'), () => Promise.resolve())

test.each(['none', 'zstd'] as const)(
  'compressed by %s: whichever byte is damaged, it is found',
  { timeout: 30_000 },
  async compression => {
    const backend = await open([], ALL, compression)
    const table = backend.namespacedState<string>(internal('a')).table(undefined)
    for (let i = 0; i < 40; i++) table.insert(i, 'the same text again and again')
    const [handle] = await take(backend, inline)
    if (handle?.location.type !== 'inline') throw new Error('inline expected')
    const bytes = Buffer.from(handle.location.base64, 'base64')
    for (let at = 0; at < bytes.length; at += at < 300 ? 1 : 7) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] as number) ^ 0x10
      const location = { type: 'inline', base64: damaged.toString('base64') } as const
      for (const range of [ALL, keyGroupRangeOf(MAX_PARALLELISM, 2, 0)]) {
        let error: unknown
        await open([{ ...handle, location }], range).catch((e: unknown) => {
          error = e
        })
        // A part of the key groups does not read the damage of the others.
        if (range === ALL || error !== undefined) {
          expect(error).toMatchObject({
            code: expect.stringMatching(/^state\.(corrupt-snapshot|newer-format)$/),
          })
        }
      }
    }
    expect((await open([handle])).namespacedState(internal('a')).table(undefined).size).toBe(40)
  },
)

test('large state is smaller when compressed, and the error of a damaged file names file and place', {
  timeout: 30_000,
}, async () => {
  const sizes: number[] = []
  for (const compression of ['none', 'zstd'] as const) {
    const backend = await open([], ALL, compression)
    const table = backend.namespacedState<string>(internal('a')).table(undefined)
    for (let i = 0; i < 20_000; i++) table.insert(`key ${i}`, `value ${i % 100} of something`)
    const [handle] = await take(backend, files)
    if (handle?.location.type !== 'file') throw new Error('file expected')
    const { path, sizeBytes } = handle.location
    sizes.push(sizeBytes)
    const restored = await open([handle])
    expect(restored.namespacedState(internal('a')).table(undefined).find('key 777')?.value).toBe(
      'value 77 of something',
    )
    const file = await openFile(fileURLToPath(path), 'r+')
    await file.write(Buffer.of(1, 2, 3, 4), 0, 4, sizeBytes - 100)
    await file.close()
    await expect(open([handle])).rejects.toThrow(
      new RegExp(`^State in ${path} can't be read: the checksum of the \\d+ bytes at byte \\d+ is wrong`),
    )
  }
  expect(sizes[1]).toBeLessThan((sizes[0] as number) / 2)
})
