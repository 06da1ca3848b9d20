import { randomBytes } from 'node:crypto'
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { Configuration } from '@flink-ts/common'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasServer, TestServer } from '../../../../tools/servers/test-server.ts'
import type { FileSystem } from '../api/file-system.ts'
import { s3SettingsOf } from '../filesystem-options.ts'
import { type Fault, FaultProxy } from '../testing/fault-proxy.ts'
import { testFileSystemContract } from '../testing/file-system-contract.ts'
import { joinUri } from '../uri/uri.ts'
import { createS3FileSystem } from './create-s3-file-system.ts'

const BUCKET = 'contract'

describe.skipIf(!hasServer('versitygw.sh'))('s3: on versitygw', () => {
  let server: TestServer
  let admin: S3Client
  beforeAll(async () => {
    server = await TestServer.start('versitygw.sh', BUCKET)
    admin = new S3Client({
      endpoint: server.address,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'testtest' },
    })
  }, 300_000)
  afterAll(async () => {
    admin?.destroy()
    await server?.stop()
  })

  const fileSystemOf = (settings: Record<string, string> = {}, keysPerRequest?: number): FileSystem =>
    createS3FileSystem({
      scheme: 's3',
      ...(keysPerRequest !== undefined && { keysPerRequest }),
      settings: s3SettingsOf(
        Configuration.of({
          's3.endpoint': server.address,
          's3.path.style.access': 'true',
          's3.access-key': 'test',
          's3.secret-key': 'testtest',
          ...settings,
        }),
      ),
    })
  const newBase = (): string => `s3://${BUCKET}/${randomBytes(6).toString('hex')}`
  const uploads = async (): Promise<readonly (string | undefined)[]> => {
    const { Uploads = [] } = await admin.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))
    return Uploads.map(({ Key }) => Key)
  }

  testFileSystemContract('contract', {
    newFolder: async () => ({ fileSystem: fileSystemOf(), base: newBase() }),
    largeBytes: 11_000_000,
    createFailsAt: 'close',
  })

  test('the contract has left no upload behind, and a deleted folder none of its own', async () => {
    expect(await uploads()).toEqual([])
    // One part at a time: an upload that is aborted with a part on its way may stay.
    const fileSystem = fileSystemOf({ 's3.upload.max.concurrent.uploads': '1' })
    const base = newBase()
    const out = await fileSystem.create(joinUri(base, 'chk-1', 'state'), 'create')
    await out.write(Buffer.alloc(6_000_000))
    expect(await uploads()).toHaveLength(1)
    // As if its process was gone.
    await fileSystem.delete(joinUri(base, 'chk-1'), { recursive: true })
    expect(await uploads()).toEqual([])
    await out.write(Buffer.alloc(6_000_000)).catch(() => undefined)
    await expect(out.close()).rejects.toMatchObject({ code: expect.stringMatching(/^filesystem\./) })
    expect(await fileSystem.list(base)).toEqual([])
  })

  test('objects and folders of many pages are listed and deleted', async () => {
    const fileSystem = fileSystemOf({}, 4)
    const base = newBase()
    const names = Array.from({ length: 11 }, (_, i) => `f${i}`)
    await Promise.all(
      names.flatMap(name => [
        fileSystem.writeFile(joinUri(base, 'many', name), Buffer.from(name), 'overwrite'),
        fileSystem.writeFile(joinUri(base, 'many', `${name}-folder`, 'x'), Buffer.from(name), 'overwrite'),
      ]),
    )
    const listed = await fileSystem.list(joinUri(base, 'many'))
    const expected = names.flatMap(name => [name, `${name}-folder`]).sort()
    expect(listed.map(({ uri }) => uri)).toEqual(expected.map(name => joinUri(base, 'many', name)))
    await fileSystem.delete(joinUri(base, 'many'), { recursive: true })
    expect(await fileSystem.list(base)).toEqual([])
  })

  describe('behind faults', () => {
    let proxy: FaultProxy
    beforeAll(async () => {
      proxy = await FaultProxy.start(server.address)
    })
    afterAll(() => proxy?.close())

    // Short only where it is waited for: it bounds the upload of a part, too.
    const bounded = (fault: Fault) => ({
      's3.connection.timeout': fault === 'never' ? '1500 ms' : '20 s',
      's3.endpoint': proxy.address,
    })
    const large = randomBytes(6_000_000)

    test.each<Fault>([500, 503, 'half', 'never', 'lost'])(
      'many requests are spoiled (%s): all is written once and read whole',
      async fault => {
        const fileSystem = fileSystemOf(bounded(fault))
        const base = newBase()
        let requests = 0
        const period = fault === 'never' ? 6 : 3
        proxy.plan(() => (requests++ % period === 0 ? fault : undefined))
        const pointer = joinUri(base, 'pointer')
        await fileSystem.writeFile(pointer, Buffer.from('first'), 'create')
        await expect(fileSystem.writeFile(pointer, Buffer.from('second'), 'create')).rejects.toMatchObject({
          code: 'filesystem.already-exists',
        })
        expect((await fileSystem.readFile(pointer)).toString()).toBe('first')
        const output = await fileSystem.create(joinUri(base, 'state'), 'create')
        await output.write(large)
        await output.close()
        const input = await fileSystem.open(joinUri(base, 'state'))
        expect((await input.read(0, large.length)).equals(large)).toBe(true)
        const writer = fileSystem.recoverableWriter()
        const part = await writer.open(joinUri(base, '.part'), joinUri(base, 'part'))
        await part.write(large)
        await writer.commit(await part.closeForCommit())
        expect((await fileSystem.readFile(joinUri(base, 'part'))).equals(large)).toBe(true)
        expect((await fileSystem.list(base)).map(({ uri }) => uri.slice(base.length + 1))).toEqual([
          'part',
          'pointer',
          'state',
        ])
        await fileSystem.delete(base, { recursive: true })
        expect(proxy.faults).toBeGreaterThan(2)
        proxy.plan(() => undefined)
        expect(await fileSystem.list(base)).toEqual([])
      },
    )

    test.each<readonly [Fault, string, RegExp]>([
      ['ExpiredToken', 'misconfigured', /s3\.access-key|s3\.session\.token/],
      ['QuotaExceeded', 'io', /Free space there or raise the quota/],
      ['NoSuchBucket', 'misconfigured', /no bucket 'contract'/],
    ])('%s from one moment on: calls say so, and go on when it is over', async (fault, code, message) => {
      proxy.plan(() => undefined)
      const fileSystem = fileSystemOf(bounded(fault))
      const base = newBase()
      const uri = joinUri(base, 'chk-1', 'state')
      await fileSystem.writeFile(joinUri(base, 'pointer'), Buffer.from('before'), 'create')
      const output = await fileSystem.create(uri, 'create')
      await output.write(large)
      proxy.plan(() => fault)
      const refused = (call: Promise<unknown>) =>
        expect(call).rejects.toMatchObject({
          code: `filesystem.${code}`,
          message: expect.stringMatching(message),
        })
      await refused(output.close())
      await refused(fileSystem.writeFile(joinUri(base, 'pointer'), Buffer.from('after'), 'overwrite'))
      await refused(fileSystem.readFile(joinUri(base, 'pointer')))
      await refused(fileSystem.list(base))
      expect(proxy.faults).toBeLessThan(20)
      proxy.plan(() => undefined)
      expect((await fileSystem.readFile(joinUri(base, 'pointer'))).toString()).toBe('before')
      expect((await fileSystem.list(base)).map(found => found.uri)).not.toContain(uri)
      await fileSystem.delete(joinUri(base, 'chk-1'), { recursive: true })
      const again = await fileSystem.create(uri, 'create')
      await again.write(large)
      await again.close()
      expect((await fileSystem.status(uri))?.sizeBytes).toBe(large.length)
      expect((await uploads()).filter(key => base.endsWith(key?.split('/')[0] ?? ''))).toEqual([])
    })

    test.each<Fault>([503, 'never'])(
      'when it is always so (%s), calls fail in time, and what was begun can be removed',
      async fault => {
        const fileSystem = fileSystemOf({ ...bounded(fault), 's3.attempts.maximum': '2' })
        const base = newBase()
        const uri = joinUri(base, 'chk-1', 'state')
        const output = await fileSystem.create(uri, 'create')
        await output.write(large)
        proxy.plan(() => fault)
        const failed = expect.objectContaining({ code: 'filesystem.io', retry: 'backoff' })
        await expect(output.close()).rejects.toEqual(failed)
        await expect(fileSystem.readFile(uri)).rejects.toEqual(failed)
        await expect(fileSystem.writeFile(uri, large, 'create')).rejects.toEqual(failed)
        proxy.plan(() => undefined)
        await fileSystem.delete(joinUri(base, 'chk-1'), { recursive: true })
        expect(await fileSystem.list(base)).toEqual([])
        expect((await uploads()).filter(key => base.endsWith(key?.split('/')[0] ?? ''))).toEqual([])
      },
    )
  })

  test.each([
    ['a bucket that is missing', {}, 's3://no-such-bucket/x', 'misconfigured', "no bucket 'no-such-bucket'"],
    ['a wrong access key', { 's3.access-key': 'who' }, `s3://${BUCKET}/x`, 'misconfigured', 's3.access-key'],
    ['a wrong secret', { 's3.secret-key': 'what' }, `s3://${BUCKET}/x`, 'misconfigured', 's3.secret-key'],
    [
      'nobody there',
      { 's3.endpoint': 'http://127.0.0.1:1', 's3.attempts.maximum': '2' },
      `s3://${BUCKET}/x`,
      'io',
      /no answer of http:\/\/127\.0\.0\.1:1 .*Check s3\.endpoint/,
    ],
  ])('%s is said with what to change', async (_, settings, uri, code, message) => {
    const fileSystem = fileSystemOf(settings)
    for (const call of [
      () => fileSystem.writeFile(uri, Buffer.from('x'), 'create'),
      () => fileSystem.readFile(uri),
      () => fileSystem.list(uri),
      () => fileSystem.status(uri),
      () => fileSystem.makeDirectory(uri),
    ]) {
      // A request for the head of an object says nothing but a number.
      const failure = expect(call(), String(call)).rejects
      await failure.toMatchObject({ code: expect.stringMatching(`filesystem.(${code}|access-denied)`) })
    }
    await expect(fileSystem.writeFile(uri, Buffer.from('x'), 'create')).rejects.toThrow(message)
    await expect(fileSystem.writeFile(uri, Buffer.from('x'), 'create')).rejects.toMatchObject({
      code: `filesystem.${code}`,
    })
  })
})
