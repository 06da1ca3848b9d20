import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fileSystemFor } from '../file-system-for.ts'
import { joinUri, toUri } from '../uri/uri.ts'
import { LocalFileSystem } from './local-file-system.ts'

const fileSystem = new LocalFileSystem()
let folder: string
let base: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flink-fs-'))
  base = toUri(folder)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const bytes = (text: string): Buffer => Buffer.from(text)
const code = (value: string): unknown => expect.objectContaining({ code: `filesystem.${value}` })

test('create makes folders, counts the position, refuses what exists, and overwrites when told', async () => {
  const uri = joinUri(base, 'a', 'b', 'c d#')
  const out = await fileSystem.create(uri, 'create')
  await out.write(bytes('hello '))
  await out.write(bytes('world'))
  expect(out.position).toBe(11)
  await out.sync()
  await out.close()
  await out.close()
  expect((await fileSystem.readFile(uri)).toString()).toBe('hello world')
  await expect(fileSystem.create(uri, 'create')).rejects.toEqual(code('already-exists'))
  const again = await fileSystem.create(uri, 'overwrite')
  await again.close()
  expect((await fileSystem.status(uri))?.sizeBytes).toBe(0)
})

test('what is given up is removed', async () => {
  const uri = joinUri(base, 'f')
  const out = await fileSystem.create(uri, 'create')
  await out.write(bytes('0123456789'))
  await out.abort()
  await out.abort()
  await out.close()
  expect(await fileSystem.status(uri)).toBeUndefined()
  const kept = await fileSystem.create(uri, 'create')
  await kept.close()
  await kept.abort()
  expect(await fileSystem.status(uri)).toBeDefined()
})

test('open reads ranges, short at the end', async () => {
  const uri = joinUri(base, 'f')
  await fileSystem.writeFile(uri, bytes('0123456789'), 'create')
  const input = await fileSystem.open(uri)
  expect(input.sizeBytes).toBe(10)
  expect((await input.read(3, 4)).toString()).toBe('3456')
  expect((await input.read(8, 4)).toString()).toBe('89')
  expect((await input.read(12, 4)).length).toBe(0)
  await input.close()
  await expect(fileSystem.open(base)).rejects.toEqual(code('wrong-file-type'))
})

describe('writeFile', () => {
  test('of many creators exactly one wins, and no temporary file stays', async () => {
    const uri = joinUri(base, 'pointer')
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => fileSystem.writeFile(uri, bytes(`writer ${i}`), 'create')),
    )
    const winners = results.flatMap((r, i) => (r.status === 'fulfilled' ? [i] : []))
    expect(winners).toHaveLength(1)
    for (const r of results) if (r.status === 'rejected') expect(r.reason).toEqual(code('already-exists'))
    expect((await fileSystem.readFile(uri)).toString()).toBe(`writer ${winners[0]}`)
    expect(await readdir(folder)).toEqual(['pointer'])
  })

  test('readers see the old or the new content, never a part', async () => {
    const uri = joinUri(base, 'f')
    const contents = [Buffer.alloc(300_000, 1), Buffer.alloc(300_000, 2)]
    await fileSystem.writeFile(uri, contents[0] as Buffer, 'overwrite')
    let done = false
    const reading = (async () => {
      while (!done) {
        const seen = await readFile(join(folder, 'f'))
        expect(contents.some(c => c.equals(seen))).toBe(true)
      }
    })()
    for (let i = 0; i < 30; i++) await fileSystem.writeFile(uri, contents[i % 2] as Buffer, 'overwrite')
    done = true
    await reading
  })

  test('a failure leaves no temporary file', async () => {
    await mkdir(join(folder, 'target'))
    await expect(fileSystem.writeFile(joinUri(base, 'target'), bytes('x'), 'overwrite')).rejects.toBeDefined()
    expect(await readdir(folder)).toEqual(['target'])
  })
})

test('rename replaces a file and names both paths when it fails', async () => {
  const [from, to] = [joinUri(base, 'from'), joinUri(base, 'to')]
  await fileSystem.writeFile(from, bytes('new'), 'create')
  await fileSystem.writeFile(to, bytes('old'), 'create')
  await fileSystem.rename(from, to)
  expect((await fileSystem.readFile(to)).toString()).toBe('new')
  expect(await fileSystem.status(from)).toBeUndefined()
  const failure = fileSystem.rename(from, to)
  await expect(failure).rejects.toEqual(code('not-found'))
  await expect(failure).rejects.toThrow(from)
  await expect(failure).rejects.toThrow(to)
})

test('delete is idempotent and takes a full folder only when told', async () => {
  const uri = joinUri(base, 'dir', 'f')
  await fileSystem.writeFile(uri, bytes('x'), 'create')
  await expect(fileSystem.delete(joinUri(base, 'dir'))).rejects.toEqual(code('io'))
  await fileSystem.delete(uri)
  await fileSystem.delete(uri)
  await fileSystem.delete(joinUri(base, 'dir'))
  await fileSystem.writeFile(uri, bytes('x'), 'create')
  await fileSystem.delete(joinUri(base, 'dir'), { recursive: true })
  await fileSystem.delete(joinUri(base, 'dir'), { recursive: true })
  expect(await fileSystem.list(base)).toEqual([])
})

test('list is sorted, gives usable URIs, skips dangling links, is empty for a missing folder', async () => {
  for (const name of ['b', 'a b', 'Z', 'é%'])
    await fileSystem.writeFile(joinUri(base, name), bytes(name), 'create')
  await fileSystem.makeDirectory(joinUri(base, 'dir'))
  await symlink(join(folder, 'gone'), join(folder, 'link'))
  const children = await fileSystem.list(base)
  expect(children.map(c => c.uri)).toEqual(['Z', 'a b', 'b', 'dir', 'é%'].map(n => joinUri(base, n)))
  expect(children.map(c => c.isDirectory)).toEqual([false, false, false, true, false])
  expect((await fileSystem.readFile(children[4]?.uri ?? '')).toString()).toBe('é%')
  expect(await fileSystem.list(joinUri(base, 'none'))).toEqual([])
  await expect(fileSystem.list(joinUri(base, 'b'))).rejects.toEqual(code('wrong-file-type'))
})

test('a file where a folder should be is named, whatever is done below it', async () => {
  const file = joinUri(base, 'file')
  await fileSystem.writeFile(file, bytes('x'), 'create')
  const below = joinUri(file, 'a', 'b')
  const calls: readonly (() => Promise<unknown>)[] = [
    () => fileSystem.create(below, 'create'),
    () => fileSystem.create(joinUri(file, 'a'), 'create'),
    () => fileSystem.writeFile(below, bytes('x'), 'create'),
    () => fileSystem.readFile(below),
    () => fileSystem.open(below),
    () => fileSystem.makeDirectory(file),
    () => fileSystem.makeDirectory(below),
  ]
  for (const call of calls) {
    await expect(call()).rejects.toEqual(code('wrong-file-type'))
    await expect(call()).rejects.toThrow(`${file}: it is not a folder.`)
  }
})

test('what may not be written gives access-denied', async () => {
  // A folder without rights stops everybody but root; a constant of the kernel stops root too.
  await chmod(folder, 0o500)
  const uri = process.getuid?.() === 0 ? 'file:///proc/sys/kernel/ostype' : joinUri(base, 'f')
  await expect(fileSystem.create(uri, 'overwrite')).rejects.toEqual(code('access-denied'))
})

test('many may make the same folders at a time', async () => {
  for (let round = 0; round < 30; round++) {
    const uri = joinUri(base, `${round}`, 'b', 'c', 'd')
    await Promise.all(Array.from({ length: 20 }, () => fileSystem.makeDirectory(uri)))
    expect((await fileSystem.status(uri))?.isDirectory).toBe(true)
  }
})

test.runIf(process.platform === 'linux')('a folder where none can be made fails, at once', async () => {
  await expect(fileSystem.makeDirectory('file:///proc/nowhere/below')).rejects.toMatchObject({
    code: expect.stringMatching(/^filesystem\./),
  })
})

test('errors name the path and what to change', async () => {
  const uri = joinUri(base, 'missing')
  await expect(fileSystem.readFile(uri)).rejects.toThrow(`Could not read ${uri}: it does not exist.`)
  await expect(fileSystem.readFile(joinUri(base, 'x'.repeat(300)))).rejects.toMatchObject({
    code: 'filesystem.io',
    retry: 'backoff',
  })
})

test('fileSystemFor', () => {
  expect(fileSystemFor('file:///x').scheme).toBe('file')
  expect(() => fileSystemFor('gopher://x')).toThrow(/gopher.*Known schemes: file/)
  expect(() => fileSystemFor('/x')).toThrow(code('invalid-uri') as Error)
})
