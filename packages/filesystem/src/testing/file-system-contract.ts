import { beforeEach, describe, expect, test } from 'vitest'
import type { FileSystem } from '../api/file-system.ts'
import { joinUri } from '../uri/uri.ts'

/** What one storage does not have of the contract. */
export interface ContractOptions {
  /** An empty folder of the test's own; a new one for each call. */
  readonly newFolder: () => Promise<{ readonly fileSystem: FileSystem; readonly base: string }>
  /** A file bigger than what the storage takes at once. */
  readonly largeBytes: number
  /** Object stores notice only at the end that there is a file already. */
  readonly createFailsAt: 'create' | 'close'
  /** Names that the storage refuses. */
  readonly withoutNames?: readonly string[]
}

const NAMES = [
  'plain',
  'a b',
  'Z',
  'é%',
  '100%25',
  'a+b',
  '#x',
  'q?y',
  'a=b&c',
  "it's",
  'x;y',
  '10:30',
  '~[]()!*',
]

/** What every file system must do, run against real storage. */
export function testFileSystemContract(name: string, options: ContractOptions): void {
  describe(name, () => {
    let fileSystem: FileSystem
    let base: string
    beforeEach(async () => {
      const made = await options.newFolder()
      fileSystem = made.fileSystem
      base = made.base
    })

    const bytes = (text: string): Buffer => Buffer.from(text)
    const code = (value: string): unknown => expect.objectContaining({ code: `filesystem.${value}` })
    const text = async (uri: string): Promise<string> => (await fileSystem.readFile(uri)).toString()
    const names = async (uri: string): Promise<string[]> =>
      (await fileSystem.list(uri)).map(status => status.uri.slice(base.length + 1))
    const write = (uri: string, content: string): Promise<void> =>
      fileSystem.writeFile(uri, bytes(content), 'create')

    test('a file is written piece by piece, is there when it is closed, and is read by ranges', async () => {
      const uri = joinUri(base, 'deep', 'below', 'file')
      const out = await fileSystem.create(uri, 'create')
      const piece = bytes('hello ')
      await out.write(piece)
      piece.fill('x')
      await out.write(bytes('world'))
      expect(out.position).toBe(11)
      await out.sync()
      await out.close()
      await out.close()
      await out.abort()
      expect(await text(uri)).toBe('hello world')
      expect(await fileSystem.status(uri)).toMatchObject({ uri, sizeBytes: 11, isDirectory: false })
      const modifiedAt = (await fileSystem.status(uri))?.modifiedAt ?? 0
      expect(Math.abs(modifiedAt - Date.now())).toBeLessThan(600_000)
      const input = await fileSystem.open(uri)
      expect(input.sizeBytes).toBe(11)
      const [a, b, c, d, e] = await Promise.all([
        input.read(4, 4),
        input.read(9, 100),
        input.read(11, 5),
        input.read(100, 5),
        input.read(0, 0),
      ])
      expect([a, b, c, d, e].map(String)).toEqual(['o wo', 'ld', '', '', ''])
      await input.close()
      await input.close()
    })

    test('create refuses what exists, overwrite replaces it, an empty file is a file', async () => {
      const uri = joinUri(base, 'file')
      await write(uri, 'first')
      const again = async (): Promise<void> => {
        const out = await fileSystem.create(uri, 'create')
        expect(options.createFailsAt).toBe('close')
        await out.write(bytes('second'))
        await out.close()
      }
      await expect(again()).rejects.toEqual(code('already-exists'))
      expect(await text(uri)).toBe('first')
      const out = await fileSystem.create(uri, 'overwrite')
      await out.close()
      expect(await fileSystem.status(uri)).toMatchObject({ sizeBytes: 0, isDirectory: false })
      expect(await text(uri)).toBe('')
    })

    test('a large file comes back, whatever the pieces, and what is given up leaves nothing', async () => {
      const content = Buffer.alloc(options.largeBytes)
      for (let i = 0; i + 4 <= content.length; i += 4096) content.writeUInt32LE(i, i)
      const uri = joinUri(base, 'large')
      const out = await fileSystem.create(uri, 'create')
      for (let at = 0, size = 1; at < content.length; at += size, size = (size * 7) % 3_000_001) {
        size = Math.min(size, content.length - at)
        await out.write(content.subarray(at, at + size))
      }
      await out.sync()
      await out.close()
      expect((await fileSystem.readFile(uri)).equals(content)).toBe(true)
      const input = await fileSystem.open(uri)
      const middle = Math.floor(content.length / 2)
      expect((await input.read(middle, 1000)).equals(content.subarray(middle, middle + 1000))).toBe(true)
      await input.close()

      const given = await fileSystem.create(joinUri(base, 'given-up'), 'create')
      await given.write(content)
      await given.abort()
      await given.abort()
      expect(await names(base)).toEqual(['large'])
    })

    test('of many creators of one file exactly one wins', async () => {
      const uri = joinUri(base, 'pointer')
      const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => write(uri, `writer ${i}`)))
      const winners = results.flatMap((r, i) => (r.status === 'fulfilled' ? [i] : []))
      expect(winners).toHaveLength(1)
      for (const r of results) if (r.status === 'rejected') expect(r.reason).toEqual(code('already-exists'))
      expect(await text(uri)).toBe(`writer ${winners[0]}`)
      await fileSystem.writeFile(uri, bytes('new'), 'overwrite')
      expect(await text(uri)).toBe('new')
      expect(await names(base)).toEqual(['pointer'])
    })

    test('names of all kinds are listed in order, and their URIs lead to them', async () => {
      const usable = NAMES.filter(name => options.withoutNames?.includes(name) !== true)
      await Promise.all(usable.map(name => write(joinUri(base, name), name)))
      await fileSystem.makeDirectory(joinUri(base, 'empty'))
      await write(joinUri(base, 'folder', 'child'), 'x')
      const children = await fileSystem.list(base)
      const expected = [...usable, 'empty', 'folder'].sort().map(name => joinUri(base, name))
      expect(children.map(({ uri }) => uri)).toEqual(expected)
      for (const { uri, isDirectory } of children) {
        if (isDirectory)
          expect(await fileSystem.status(uri)).toMatchObject({ uri, isDirectory: true, sizeBytes: 0 })
        else expect(joinUri(base, await text(uri))).toBe(uri)
      }
      expect(await fileSystem.list(joinUri(base, 'empty'))).toEqual([])
      expect(await fileSystem.list(joinUri(base, 'none'))).toEqual([])
      expect(await fileSystem.status(joinUri(base, 'none'))).toBeUndefined()
    })

    test('rename replaces a file and says when there is nothing to rename', async () => {
      const [from, to] = [joinUri(base, 'from x'), joinUri(base, 'to%')]
      await write(from, 'new')
      await write(to, 'old')
      await fileSystem.rename(from, to)
      expect(await text(to)).toBe('new')
      expect(await fileSystem.status(from)).toBeUndefined()
      await expect(fileSystem.rename(from, to)).rejects.toEqual(code('not-found'))
      expect(await text(to)).toBe('new')
    })

    test('delete is idempotent and takes a full folder only when told', async () => {
      const uri = joinUri(base, 'dir', 'sub', 'f')
      await write(uri, 'x')
      await write(joinUri(base, 'dir2'), 'beside it')
      await expect(fileSystem.delete(joinUri(base, 'dir'))).rejects.toEqual(code('io'))
      await fileSystem.delete(uri)
      await fileSystem.delete(uri)
      await write(uri, 'x')
      await fileSystem.delete(joinUri(base, 'dir'), { recursive: true })
      await fileSystem.delete(joinUri(base, 'dir'), { recursive: true })
      await fileSystem.makeDirectory(joinUri(base, 'empty'))
      await fileSystem.delete(joinUri(base, 'empty'))
      expect(await names(base)).toEqual(['dir2'])
    })

    test('what is not there, and what is something else, is said so', async () => {
      const missing = joinUri(base, 'missing')
      await expect(fileSystem.readFile(missing)).rejects.toThrow(`${missing}: it does not exist.`)
      await expect(fileSystem.readFile(missing)).rejects.toEqual(code('not-found'))
      await expect(fileSystem.open(missing)).rejects.toEqual(code('not-found'))
      await write(joinUri(base, 'folder', 'file'), 'x')
      await expect(fileSystem.open(joinUri(base, 'folder'))).rejects.toEqual(code('wrong-file-type'))
      await expect(fileSystem.readFile(joinUri(base, 'folder'))).rejects.toEqual(code('wrong-file-type'))
      await expect(fileSystem.list(joinUri(base, 'folder', 'file'))).rejects.toEqual(code('wrong-file-type'))
      await expect(fileSystem.makeDirectory(joinUri(base, 'folder', 'file'))).rejects.toEqual(
        code('wrong-file-type'),
      )
    })

    describe('recoverable writer', () => {
      const pending = async (number: number, content: Buffer) => {
        const inProgress = joinUri(base, `.part-${number}.inprogress`)
        const output = await fileSystem.recoverableWriter().open(inProgress, joinUri(base, `part-${number}`))
        await output.write(content)
        return output
      }

      test('a file appears by its commit, which may come twice and from another process', async () => {
        const large = Buffer.alloc(options.largeBytes, 'abc')
        for (const [number, content] of [bytes('small'), large].entries()) {
          const output = await pending(number, content)
          expect(await names(base)).toEqual([
            `.part-${number}.inprogress`,
            ...(number === 1 ? ['part-0'] : []),
          ])
          const file = JSON.parse(JSON.stringify(await output.closeForCommit())) as Awaited<
            ReturnType<typeof output.closeForCommit>
          >
          await output.abort()
          expect(file.sizeBytes).toBe(content.length)
          expect(await fileSystem.status(file.finalUri)).toBeUndefined()
          await fileSystem.recoverableWriter().commit(file)
          await fileSystem.recoverableWriter().commit(file)
          expect((await fileSystem.readFile(file.finalUri)).equals(content)).toBe(true)
          await Promise.all([1, 2].map(() => fileSystem.recoverableWriter().commit(file)))
          // Nothing is left that could be taken for an unfinished file.
          await fileSystem.recoverableWriter().discard(file.inProgressUri)
          expect((await fileSystem.status(file.finalUri))?.sizeBytes).toBe(content.length)
        }
        expect(await names(base)).toEqual(['part-0', 'part-1'])
      })

      test('two commits at the same time both succeed', async () => {
        const file = await (await pending(1, bytes('content'))).closeForCommit()
        await Promise.all([1, 2, 3].map(() => fileSystem.recoverableWriter().commit(file)))
        expect(await text(file.finalUri)).toBe('content')
        expect(await names(base)).toEqual(['part-1'])
      })

      test('what is given up or discarded is gone, and its commit says so', async () => {
        const large = Buffer.alloc(options.largeBytes, 'x')
        await (await pending(1, large)).abort()
        expect(await names(base)).toEqual([])
        const output = await pending(2, large)
        await fileSystem.recoverableWriter().discard(joinUri(base, '.part-2.inprogress'))
        await output.abort()
        const file = await (await pending(3, large)).closeForCommit()
        await fileSystem.recoverableWriter().discard(file.inProgressUri)
        await fileSystem.recoverableWriter().discard(file.inProgressUri)
        expect(await names(base)).toEqual([])
        await expect(fileSystem.recoverableWriter().commit(file)).rejects.toEqual(code('pending-file-lost'))
      })
    })
  })
}
