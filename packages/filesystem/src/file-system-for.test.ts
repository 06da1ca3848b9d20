import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Configuration } from '@flink-ts/common'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { configureFileSystems, fileSystemFor } from './file-system-for.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flink-plugin-'))
  const plugin = `export default {
    create: (scheme, configuration) => ({
      scheme,
      readFile: async uri => Buffer.from(uri + ' ' + configuration.toRecord()['fs.gs.project']),
      recoverableWriter: () => ({ discard: async uri => { throw new Error('discard ' + uri) } }),
    }),
  }`
  await writeFile(join(folder, 'plugin.mjs'), plugin)
  await writeFile(join(folder, 'nothing.mjs'), 'export default 1')
})
afterAll(() => rm(folder, { recursive: true }))
afterEach(() => configureFileSystems(Configuration.EMPTY))

const configure = (values: Record<string, string>): void => configureFileSystems(Configuration.of(values))

test.each([
  ['hfds://namenode/x', 'Did you mean hdfs:?'],
  ['flie:///x', 'Did you mean file:?'],
  ['s4://bucket/x', 'Did you mean s3:?'],
])('%s is a slip of the pen', (uri, hint) => {
  expect(() => fileSystemFor(uri)).toThrow(hint)
})

test('a scheme that nobody knows is named, with those that are known', () => {
  configure({ 'fs.plugins': 'gs: @acme/gs' })
  expect(() => fileSystemFor('https://x/y')).toThrow(
    /^No file system for 'https:' \(https:\/\/x\/y\)\. Known schemes: file, .*s3.*, gs/,
  )
})

test('a plug-in is loaded by its first call, gets its settings, and is kept until they change', async () => {
  configure({ 'fs.plugins': `gs: ${join(folder, 'plugin.mjs')}`, 'fs.gs.project': 'p1', 'rest.port': '1' })
  const fileSystem = fileSystemFor('gs://b/x')
  expect(fileSystem).toBe(fileSystemFor('gs://other/y'))
  expect((await fileSystem.readFile('gs://b/x')).toString()).toBe('gs://b/x p1')
  await expect(fileSystem.recoverableWriter().discard('gs://b/y')).rejects.toThrow('discard gs://b/y')
  configure({ 'fs.plugins': `gs: ${join(folder, 'plugin.mjs')}`, 'fs.gs.project': 'p2' })
  expect((await fileSystemFor('gs://b/x').readFile('gs://b/x')).toString()).toBe('gs://b/x p2')
})

test('threads that start later have the settings', async () => {
  configure({ 'fs.plugins': `gs: ${join(folder, 'plugin.mjs')}`, 'fs.gs.project': 'p3' })
  const module = new URL('./file-system-for.ts', import.meta.url).href
  const code = `
    const { parentPort } = require('node:worker_threads')
    import(${JSON.stringify(module)})
      .then(({ fileSystemFor }) => fileSystemFor('gs://b/x').readFile('gs://b/x'))
      .then(content => parentPort.postMessage(content.toString()))`
  const worker = new Worker(code, { eval: true, execArgv: ['--conditions=@flink-ts/source'] })
  const answer = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  expect(answer).toBe('gs://b/x p3')
  await worker.terminate()
})

test('a module that is not there or no file system fails each call and says what to change', async () => {
  configure({ 'fs.plugins': `gs: '@acme/not-there', oss: ${join(folder, 'nothing.mjs')}` })
  for (let i = 0; i < 2; i++) {
    await expect(fileSystemFor('gs://b/x').list('gs://b/x')).rejects.toMatchObject({
      code: 'filesystem.not-loaded',
      message: expect.stringMatching(
        /'gs:'.*@acme\/not-there \(fs\.plugins\).*Install the package on every host/,
      ),
    })
  }
  await expect(fileSystemFor('oss://b/x').list('oss://b')).rejects.toThrow('is no FileSystemFactory')
  configure({ 'fs.plugins': 'nonsense' })
  expect(() => fileSystemFor('gs://b/x')).toThrow(/fs\.plugins: give schemes and modules such as gs/)
})

test('s3 settings that cannot be right are refused by the first call', async () => {
  configure({ 's3.endpoint': 'minio:9000' })
  await expect(fileSystemFor('s3://b/x').status('s3://b/x')).rejects.toThrow(/'minio:9000' .*s3\.endpoint/)
  configure({ 's3.upload.min.part.size': '1 mb' })
  await expect(fileSystemFor('s3a://b/x').status('s3://b/x')).rejects.toThrow(/s3\.upload\.min\.part\.size/)
})
