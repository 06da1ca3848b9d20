import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { testFileSystemContract } from '../testing/file-system-contract.ts'
import { toUri } from '../uri/uri.ts'
import { LocalFileSystem } from './local-file-system.ts'

const folders: string[] = []
afterAll(() => Promise.all(folders.map(folder => rm(folder, { recursive: true, force: true }))))

testFileSystemContract('file:', {
  newFolder: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flink-contract-'))
    folders.push(folder)
    return { fileSystem: new LocalFileSystem(), base: toUri(folder) }
  },
  largeBytes: 300_000,
  createFailsAt: 'create',
})
