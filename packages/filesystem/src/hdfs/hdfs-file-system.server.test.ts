import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { Configuration } from '@flink-ts/common'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasServer, TestServer } from '../../../../tools/servers/test-server.ts'
import type { FileSystem } from '../api/file-system.ts'
import { hdfsSettingsOf } from '../filesystem-options.ts'
import { testFileSystemContract } from '../testing/file-system-contract.ts'
import { joinUri } from '../uri/uri.ts'
import { createHdfsFileSystem } from './create-hdfs-file-system.ts'

describe.skipIf(!hasServer('hdfs.sh'))('hdfs: on HDFS with two DataNodes', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await TestServer.start('hdfs.sh')
  }, 300_000)
  afterAll(() => server?.stop())

  const fileSystemOf = (scheme: string, settings: Record<string, string> = {}): FileSystem =>
    createHdfsFileSystem({ scheme, settings: hdfsSettingsOf(Configuration.of(settings)) })
  const rpc = (): string => server.addresses[1] as string
  const hadoop = (): Record<string, string> => ({ 'fs.hdfs.hadoopconf': join(server.folder, 'conf/nn') })
  const newName = (): string => `test-${randomBytes(6).toString('hex')}`

  testFileSystemContract('contract', {
    newFolder: async () => ({ fileSystem: fileSystemOf('hdfs', hadoop()), base: `${rpc()}/${newName()}` }),
    largeBytes: 20_000_000,
    createFailsAt: 'create',
    withoutNames: ['10:30'],
  })

  test('the cluster is found by an option, by webhdfs, by the default of Hadoop, not at all', async () => {
    const name = newName()
    const uri = `${rpc()}/${name}/file`
    await fileSystemOf('hdfs', { 'hdfs.webhdfs.addresses': server.address }).writeFile(
      uri,
      Buffer.from('content'),
      'create',
    )
    const ways: readonly (readonly [FileSystem, string])[] = [
      [fileSystemOf('webhdfs'), `${server.address.replace('http:', 'webhdfs:')}/${name}/file`],
      [fileSystemOf('hdfs', hadoop()), `hdfs:///${name}/file`],
      [fileSystemOf('hdfs', hadoop()), uri],
      // The first one is gone.
      [fileSystemOf('hdfs', { 'hdfs.webhdfs.addresses': `http://127.0.0.1:1, ${server.address}` }), uri],
    ]
    for (const [fileSystem, way] of ways) expect((await fileSystem.readFile(way)).toString()).toBe('content')
    await expect(fileSystemOf('hdfs').status('hdfs://service/x')).rejects.toThrow(
      /'service' is known.*HADOOP_CONF_DIR/,
    )
    const nobody = fileSystemOf('hdfs', {
      'hdfs.webhdfs.addresses': 'http://127.0.0.1:1',
      'hdfs.attempts.maximum': '2',
    })
    await expect(nobody.status(uri)).rejects.toThrow(/no answer of http:\/\/127\.0\.0\.1:1 .*tried 2 times/)
    const refused = fileSystemOf('hdfs', { ...hadoop(), 'hdfs.user.name': 'nobody' })
    await expect(refused.writeFile(uri, Buffer.alloc(1), 'overwrite')).rejects.toMatchObject({
      code: 'filesystem.access-denied',
    })
    await expect(refused.makeDirectory(`${rpc()}/a:b`)).rejects.toMatchObject({
      code: 'filesystem.invalid-uri',
    })
  })

  test('a DataNode dies: what is written and read meanwhile is right', async () => {
    const fileSystem = fileSystemOf('hdfs', hadoop())
    const base = `${rpc()}/${newName()}`
    const content = randomBytes(12_000_000)
    const before = joinUri(base, 'before')
    const written = await fileSystem.create(before, 'create')
    await written.write(content)
    await written.close()
    const stream = await fileSystem.create(joinUri(base, 'stream'), 'create')
    await stream.write(content)
    await server.run('kill-dn', '0')
    // It was the one that took the bytes, or one behind it: then the file is written on.
    const outcome = await stream
      .write(content)
      .then(
        () => stream.close(),
        (error: unknown) => Promise.reject(error as Error),
      )
      .then(
        () => 'written',
        (error: unknown) => (error as { code: string }).code,
      )
    expect(['written', 'filesystem.io']).toContain(outcome)
    const found = await fileSystem.status(joinUri(base, 'stream'))
    if (outcome === 'written') expect(found?.sizeBytes).toBe(2 * content.length)
    else await stream.abort()
    for (let i = 0; i < 5; i++) {
      await fileSystem.writeFile(joinUri(base, 'pointer'), Buffer.from(`${i}`), 'overwrite')
      expect((await fileSystem.readFile(joinUri(base, 'pointer'))).toString()).toBe(`${i}`)
    }
    expect((await fileSystem.readFile(before)).equals(content)).toBe(true)
    await server.run('start-dn', '0')
  })

  test('a frozen NameNode: calls end in time, and work again when it is back', async () => {
    const fileSystem = fileSystemOf('hdfs', {
      ...hadoop(),
      'hdfs.connection.timeout': '500 ms',
      'hdfs.attempts.maximum': '2',
    })
    const patient = fileSystemOf('hdfs', { ...hadoop(), 'hdfs.connection.timeout': '500 ms' })
    const base = `${rpc()}/${newName()}`
    const pointer = joinUri(base, 'pointer')
    await fileSystem.makeDirectory(base)
    await server.run('freeze-nn')
    await expect(fileSystem.list(base)).rejects.toThrow(/silent for 500 ms, tried 2 times/)
    // The NameNode acts on the first requests when it is back: they are repeated all the same.
    const creating = patient.writeFile(pointer, Buffer.from('content'), 'create')
    const moving = patient.makeDirectory(joinUri(base, 'folder'))
    await expect(fileSystem.list(base)).rejects.toThrow(/silent/)
    await server.run('thaw-nn')
    await Promise.all([creating, moving])
    expect((await fileSystemOf('hdfs', hadoop()).readFile(pointer)).toString()).toBe('content')
  })
})
