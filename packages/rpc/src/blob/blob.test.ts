import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as grpc from '@grpc/grpc-js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testDependencies, testProcess } from '../testing/echo.ts'
import { TcpProxy } from '../testing/tcp-proxy.ts'
import { GrpcRpcClient } from '../transport/grpc-rpc-client.ts'
import { GrpcRpcService } from '../transport/grpc-rpc-service.ts'
import { InProcessNetwork } from '../transport/in-process-network.ts'
import { InProcessRpcService } from '../transport/in-process-rpc-service.ts'
import type { BlobAccess } from './blob-access.ts'
import { partsOf } from './blob-file.ts'
import { BlobServer } from './blob-server.ts'
import { GrpcBlobClient } from './grpc-blob-client.ts'

const keyOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
const toClose: { close(): Promise<void> }[] = []
let directory: string
let store: BlobServer

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-blob-'))
  store = new BlobServer({ directory: join(directory, 'store') }, testDependencies)
  await store.start()
})
afterEach(async () => {
  for (const one of toClose.splice(0).reverse()) await one.close()
  await rm(directory, { recursive: true })
})

async function overGrpc(): Promise<{ address: string; blobs: BlobAccess }> {
  const server = new GrpcRpcService(
    { ...testProcess('server'), bindHost: '127.0.0.1', port: 0 },
    testDependencies,
  )
  const client = new GrpcRpcClient(testProcess('client'), testDependencies)
  toClose.push(server, client)
  await Promise.all([server.start(), client.start()])
  server.serveBlobs(store)
  return { address: server.address, blobs: client.blobs }
}

async function inProcess(): Promise<{ address: string; blobs: BlobAccess }> {
  const network = new InProcessNetwork(testDependencies)
  const server = new InProcessRpcService(testProcess('server'), { ...testDependencies, network })
  const client = new InProcessRpcService(testProcess('client'), { ...testDependencies, network })
  toClose.push(server, client)
  server.serveBlobs(store)
  return { address: server.address, blobs: client.blobs }
}

describe.each([
  ['gRPC', overGrpc],
  ['memory', inProcess],
])('blobs over %s', (_, open) => {
  test('file and bytes make the round trip; what is there is not sent again', async () => {
    const { address, blobs } = await open()
    const content = testDependencies.random.bytes(3 * 2 ** 20 + 17)
    const source = join(directory, 'source')
    await writeFile(source, content)
    const key = await blobs.put(address, source)
    expect(key).toBe(keyOf(content))
    expect(await blobs.has(address, key)).toBe(true)
    expect(await blobs.put(address, content)).toBe(key)
    const target = join(directory, 'deep', 'down', 'target')
    await blobs.get(address, key, target)
    expect((await readFile(target)).equals(content)).toBe(true)
    expect(await readdir(join(directory, 'deep', 'down'))).toEqual(['target'])
    expect(await readdir(join(directory, 'store', 'incoming'))).toEqual([])
  })

  test('empty content is content', async () => {
    const { address, blobs } = await open()
    const key = await blobs.put(address, new Uint8Array(0))
    await blobs.get(address, key, join(directory, 'empty'))
    expect((await readFile(join(directory, 'empty'))).length).toBe(0)
  })

  test('several uploads of the same content at a time', async () => {
    const { address, blobs } = await open()
    const content = testDependencies.random.bytes(600_000)
    const keys = await Promise.all([1, 2, 3, 4].map(() => blobs.put(address, content)))
    expect(new Set(keys)).toEqual(new Set([keyOf(content)]))
  })

  test('an unknown blob leaves no file', async () => {
    const { address, blobs } = await open()
    const target = join(directory, 'out', 'target')
    const key = keyOf(Buffer.from('nobody has this'))
    expect(await blobs.has(address, key)).toBe(false)
    await expect(blobs.get(address, key, target)).rejects.toMatchObject({
      code: 'rpc.blob-not-found',
      data: { key },
    })
    expect(await readdir(join(directory, 'out'))).toEqual([])
  })

  test('a damaged file is not handed out, and can be uploaded again', async () => {
    const { address, blobs } = await open()
    const content = Buffer.from('as it should be')
    const key = await blobs.put(address, content)
    await writeFile(store.fileOf(key), 'as it should not be')
    const target = join(directory, 'out', 'target')
    await expect(blobs.get(address, key, target)).rejects.toMatchObject({
      code: 'rpc.blob-corrupt',
      data: { key, sizeBytes: 19 },
    })
    expect(await readdir(join(directory, 'out'))).toEqual([])
    await blobs.put(address, content)
    await blobs.get(address, key, target)
    expect(await readFile(target, 'utf8')).toBe('as it should be')
  })

  test('what is no key cannot name a file', async () => {
    const { address, blobs } = await open()
    for (const key of ['../../etc/passwd', '', 'A'.repeat(64), `${'a'.repeat(63)}/`, `${'a'.repeat(64)}\n`]) {
      await expect(blobs.has(address, key)).rejects.toMatchObject({ code: 'rpc.invalid-blob-key' })
      await expect(blobs.get(address, key, join(directory, 't'))).rejects.toMatchObject({
        code: 'rpc.invalid-blob-key',
      })
    }
  })

  test('nothing is kept of content that is not what was announced', async () => {
    await open()
    const key = keyOf(Buffer.from('announced'))
    await expect(store.put(key, partsOf(Buffer.from('sent')))).rejects.toMatchObject({
      code: 'rpc.blob-corrupt',
    })
    expect(await store.has(key)).toBe(false)
    expect(await readdir(join(directory, 'store', 'incoming'))).toEqual([])
  })
})

describe('BlobServer', () => {
  test('removes what a killed process left half-written', async () => {
    await mkdir(join(directory, 'store', 'incoming'), { recursive: true })
    await writeFile(join(directory, 'store', 'incoming', 'half'), 'ha')
    await store.start()
    expect(await readdir(join(directory, 'store', 'incoming'))).toEqual([])
  })
})

describe('blobs over a bad network', () => {
  test('a process that keeps none, or none at all', async () => {
    const { blobs } = await overGrpc()
    const other = new GrpcRpcService(
      { ...testProcess('other'), bindHost: '127.0.0.1', port: 0 },
      testDependencies,
    )
    toClose.push(other)
    await other.start()
    await expect(blobs.put(other.address, Buffer.from('x'))).rejects.toMatchObject({
      code: 'rpc.blobs-not-served',
    })
    await expect(blobs.put('127.0.0.1:1', Buffer.from('x'))).rejects.toMatchObject({
      code: 'rpc.connection-refused',
      retry: 'backoff',
    })
  })

  test('a call that fails before its file is open fails the transfer, and nothing else', async () => {
    class Unreachable extends grpc.Client {
      override makeServerStreamRequest(): never {
        const stream = new Readable({ objectMode: true, read: () => {} })
        process.nextTick(() => {
          stream.push(null)
          const details = 'No connection established. Last error: reset'
          stream.emit('error', Object.assign(new Error(details), { code: grpc.status.UNAVAILABLE, details }))
        })
        return stream as never
      }
    }
    const client = new GrpcBlobClient({}, { grpc: { ...grpc, Client: Unreachable } })
    await expect(client.get('127.0.0.1:1', 'a'.repeat(64), join(directory, 'never'))).rejects.toMatchObject({
      code: 'rpc.connection-refused',
    })
  })

  test('a transfer that breaks off fails, may be repeated, and leaves nothing', async () => {
    const { address, blobs } = await overGrpc()
    const proxy = new TcpProxy(address)
    toClose.push(proxy)
    const through = await proxy.start()
    const content = testDependencies.random.bytes(20 * 2 ** 20)
    const cut = (bytes: number): void => proxy.cutAfter(bytes)
    cut(1 << 20)
    await expect(blobs.put(through, content)).rejects.toMatchObject({
      code: 'rpc.blob-transfer-failed',
      retry: 'backoff',
    })
    const key = await blobs.put(through, content)
    const target = join(directory, 'out', 'target')
    cut(1 << 20)
    await expect(blobs.get(through, key, target)).rejects.toMatchObject({ code: 'rpc.blob-transfer-failed' })
    expect(await readdir(join(directory, 'out'))).toEqual([])
    await blobs.get(through, key, target)
    expect((await readFile(target)).equals(content)).toBe(true)
  })
})
