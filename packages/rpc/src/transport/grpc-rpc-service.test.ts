import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { RpcSession } from '../endpoint/rpc-session.ts'
import type { SessionSettings } from '../rpc-options.ts'
import {
  EchoEndpoint,
  EchoHandlers,
  echoGateway,
  lossOf,
  testDependencies,
  testProcess,
} from '../testing/echo.ts'
import { TcpProxy } from '../testing/tcp-proxy.ts'
import { GrpcRpcClient } from './grpc-rpc-client.ts'
import { GrpcRpcService } from './grpc-rpc-service.ts'

const toClose: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of toClose.splice(0).reverse()) await one.close()
})

async function service(name: string, settings: Partial<SessionSettings> = {}, version = '1.2.3') {
  const made = new GrpcRpcService(
    { ...testProcess(name), version, bindHost: '127.0.0.1', port: 0, settings },
    testDependencies,
  )
  toClose.push(made)
  await made.start()
  return made
}

async function client(name: string, settings: Partial<SessionSettings> = {}, version = '1.2.3') {
  const made = new GrpcRpcClient({ ...testProcess(name), version, settings }, testDependencies)
  toClose.push(made)
  await made.start()
  return made
}

async function proxyTo(target: string) {
  const proxy = new TcpProxy(target)
  toClose.push(proxy)
  return { proxy, address: await proxy.start() }
}

describe('tokens', () => {
  const authToken = 'a token of some length'
  const connect = (from: GrpcRpcClient, to: GrpcRpcService) =>
    from.connect(to.address, 'echo', { name: 'tester', handlers: () => ({}) })

  test('who shows the token is served, with sessions and blobs', async () => {
    const server = await service('server', { authToken })
    server.serve(new EchoEndpoint())
    const friend = await client('friend', { authToken })
    const session = await connect(friend, server)
    expect(await session.gateway(echoGateway).echo('x')).toBe('x')
    // Without a store: the answer of the blob service itself.
    await expect(friend.blobs.has(server.address, 'a'.repeat(64))).rejects.toMatchObject({
      code: 'rpc.blobs-not-served',
    })
  })

  test.each([
    [undefined, 'none'],
    ['another token of some length', 'another one'],
  ])('who shows %s is refused at once, and told so', async (shown, text) => {
    const server = await service('server', { authToken })
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const stranger = await client('stranger', { authToken: shown })
    const refused = {
      code: 'rpc.unauthenticated',
      retry: 'no',
      message: expect.stringContaining(`shows ${text}`),
    }
    await expect(connect(stranger, server)).rejects.toMatchObject(refused)
    await expect(stranger.blobs.has(server.address, 'a'.repeat(64))).rejects.toMatchObject(refused)
    await expect(stranger.blobs.put(server.address, new Uint8Array(10))).rejects.toMatchObject(refused)
    expect(endpoint.sessions).toEqual([])
  })

  test('nothing listens beyond this machine without a token, unless it is allowed by name', async () => {
    const open = (settings: Partial<SessionSettings>) => {
      const made = new GrpcRpcService(
        { ...testProcess('open'), bindHost: '0.0.0.0', port: 0, settings },
        testDependencies,
      )
      toClose.push(made)
      return made.start()
    }
    await expect(open({})).rejects.toMatchObject({
      code: 'rpc.unauthenticated-binding',
      message: expect.stringMatching(/security\.auth\.token-file.*security\.rpc\.allow-unauthenticated/),
    })
    await open({ authToken })
    await open({ allowUnauthenticated: true })
  })
})

describe('GrpcRpcService', () => {
  test('carries calls both ways and says who is at the other end', async () => {
    const server = await service('server')
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const other = await client('other')
    const handlers = new EchoHandlers()
    const session = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => handlers })
    expect(session.peer).toEqual({ name: 'echo', resourceId: 'server', version: '1.2.3' })
    expect(session.leaderSessionId).toBe('leader-1')
    expect(endpoint.sessions[0]?.peer).toEqual({ name: 'tester', resourceId: 'other', version: '1.2.3' })
    const value = {
      u: undefined,
      n: [NaN, -0],
      d: new Date(7),
      m: new Map([[1, 2n]]),
      b: new Uint8Array([1]),
    }
    expect(await session.gateway(echoGateway).echo(value)).toStrictEqual(value)
    expect(await endpoint.sessions[0]?.gateway(echoGateway).push(3)).toBe(3)
    expect(handlers.pushed).toEqual([3])
  })

  test('rebuilds errors and refuses unknown and inherited methods', async () => {
    const server = await service('server')
    server.serve(new EchoEndpoint())
    const other = await client('other')
    const session = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    const failure = await session
      .gateway(echoGateway)
      .fail('no good')
      .catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'TypeError', message: 'no good' })
    expect((failure as Error).stack).toContain('EchoHandlers.fail')
    const names = ['nothing', 'constructor', 'toString', '__proto__', 'hasOwnProperty', 'pushed'] as const
    const wrong = session.gateway<Record<string, () => Promise<unknown>>>({ name: 'wrong', methods: names })
    for (const name of names) {
      await expect(wrong[name]?.(), name).rejects.toMatchObject({ code: 'rpc.unknown-method' })
    }
  })

  test('takes big payloads and refuses bigger ones with the numbers', async () => {
    const server = await service('server', { maxMessageBytes: 8 << 20 })
    server.serve(new EchoEndpoint())
    const other = await client('other', { maxMessageBytes: 8 << 20 })
    const session = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    const gateway = session.gateway(echoGateway)
    const big = Buffer.alloc(7 << 20, 7)
    expect(big.equals((await gateway.echo(big)) as Buffer)).toBe(true)
    await expect(gateway.echo(Buffer.alloc(9 << 20))).rejects.toMatchObject({
      code: 'rpc.payload-too-large',
      data: { maxBytes: 8 << 20 },
    })
    expect(await gateway.push(1)).toBe(1)
  })

  test('a result that cannot travel fails its call only', async () => {
    const server = await service('server')
    server.serve(new EchoEndpoint())
    const near = new EchoHandlers()
    Object.assign(near, { echo: () => () => {} })
    server.withdraw('echo')
    server.serve({ endpointName: 'bad', leaderSessionId: 'x' as never, acceptSession: () => near })
    const other = await client('other')
    const session = await other.connect(server.address, 'bad', { name: 'tester', handlers: () => ({}) })
    await expect(session.gateway(echoGateway).echo(1)).rejects.toMatchObject({ code: 'rpc.not-plain-data' })
    expect(await session.gateway(echoGateway).push(1)).toBe(1)
  })

  test('each numbered call arrives once and in order, whatever breaks in between', async () => {
    const settings = { sessionResumeTimeoutMs: 20_000 }
    const server = await service('server', settings)
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const { proxy, address } = await proxyTo(server.address)
    const other = await client('other', settings)
    const handlers = new EchoHandlers()
    const session = await other.connect(address, 'echo', { name: 'tester', handlers: () => handlers })
    const forth = session.gateway(echoGateway)
    const back = endpoint.sessions[0]?.gateway(echoGateway) as typeof forth
    const count = 6000
    const answers: Promise<number>[] = []
    for (let i = 0; i < count; i++) {
      answers.push(forth.push(i), back.push(i))
      // Other work gets its turn, sends included; then connections break at any point of the stream.
      if (i % 20 === 0) await new Promise(resolve => setImmediate(resolve))
      if (Math.random() < 0.005) proxy.cut()
    }
    const results = await Promise.all(answers)
    const expected = Array.from({ length: count }, (_, i) => i)
    expect(endpoint.handlers.pushed).toEqual(expected)
    expect(handlers.pushed).toEqual(expected)
    expect(results).toEqual(expected.flatMap(i => [i, i]))
    expect(session.lost).toBe(false)
    expect(proxy.connections).toBeGreaterThan(3)
  }, 30_000)

  test('a connection that does not come back loses the session on both sides, open calls included', async () => {
    const server = await service('server')
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const { proxy, address } = await proxyTo(server.address)
    const other = await client('other')
    const session = await other.connect(address, 'echo', { name: 'tester', handlers: () => ({}) })
    const hanging = session.gateway(echoGateway).hang()
    const cutAt = performance.now()
    proxy.refuse()
    await expect(hanging).rejects.toMatchObject({ code: 'rpc.session-lost', data: { call: 'hang' } })
    await lossOf(endpoint.sessions[0] as never)
    expect(performance.now() - cutAt).toBeLessThan(1500)
    await expect(session.gateway(echoGateway).push(1)).rejects.toMatchObject({ code: 'rpc.session-lost' })
    await lossOf(session) // At once, when it is lost already.
  })

  test('a broken connection is bridged while the process of the peer listens, and ends with it', async () => {
    const settings = { sessionResumeTimeoutMs: 60_000 }
    const server = await service('server', settings)
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const { proxy, address } = await proxyTo(server.address)
    const listener = createServer(socket => socket.on('error', () => {}).resume())
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const probeAddress = `127.0.0.1:${(listener.address() as AddressInfo).port}`
    const other = new GrpcRpcClient(
      { ...testProcess('other'), settings, probeAddress: () => probeAddress },
      testDependencies,
    )
    toClose.push(other)
    await other.start()
    const session = await other.connect(address, 'echo', { name: 'tester', handlers: () => ({}) })
    const there = endpoint.sessions[0] as RpcSession
    const probed = once(listener, 'connection')
    proxy.refuse()
    await probed
    await once(listener, 'connection') // Looked a second time: once is not enough for either verdict.
    expect(there.lost).toBe(false)
    proxy.admit()
    expect(await session.gateway(echoGateway).push(1)).toBe(1)
    const again = once(listener, 'connection')
    proxy.refuse()
    await again
    const goneAt = performance.now()
    listener.close()
    expect((await lossOf(there)).message).toContain(`its process is gone: its connection broke and nothing`)
    expect(performance.now() - goneAt).toBeLessThan(1000)
  })

  test('a silent peer is lost after the timeout, on both sides, open calls included', async () => {
    const settings = { heartbeatIntervalMs: 50, heartbeatTimeoutMs: 400 }
    const server = await service('server', settings)
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const { proxy, address } = await proxyTo(server.address)
    const other = await client('other', settings)
    const session = await other.connect(address, 'echo', { name: 'tester', handlers: () => ({}) })
    expect(await session.gateway(echoGateway).push(1)).toBe(1)
    proxy.freeze()
    const hanging = session.gateway(echoGateway).hang()
    await expect(hanging).rejects.toThrow('nothing was heard from it for')
    await lossOf(endpoint.sessions[0] as never)
  })

  test('an idle session stays', async () => {
    const settings = { heartbeatIntervalMs: 20, heartbeatTimeoutMs: 300 }
    const server = await service('server', settings)
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const other = await client('other', settings)
    const session = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    await new Promise(resolve => setTimeout(resolve, 900)) // Three timeouts: what is tested is that nothing happens.
    expect(session.lost).toBe(false)
    expect(await session.gateway(echoGateway).push(1)).toBe(1)
  })

  test('close and withdraw tell the peer why', async () => {
    const server = await service('server')
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const other = await client('other')
    const first = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    const second = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    first.close('had enough')
    expect((await lossOf(endpoint.sessions[0] as never)).message).toContain('closed by it: had enough')
    server.withdraw('echo')
    expect((await lossOf(second)).message).toContain('echo was withdrawn')
    await expect(
      other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) }),
    ).rejects.toMatchObject({ code: 'rpc.endpoint-not-found', retry: 'backoff' })
  })

  test('close of a service reaches the peers of its sessions', async () => {
    const server = await service('server')
    server.serve(new EchoEndpoint())
    const other = await client('other')
    const session = await other.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    const loss = lossOf(session)
    await server.close()
    expect((await loss).message).toContain('its process ends')
  })

  test('nobody there, a stranger there, another version there', async () => {
    const server = await service('server', {}, '1.10.0')
    server.serve(new EchoEndpoint())
    const local = { name: 'tester', handlers: () => ({}) }
    const older = await client('older', {}, '1.9.0')
    await expect(older.connect(server.address, 'echo', local)).rejects.toMatchObject({
      code: 'rpc.version-mismatch',
      data: { upgrade: 'the connecting process' },
    })
    const newer = await client('newer', {}, '1.10.1')
    await expect(newer.connect(server.address, 'echo', local)).rejects.toThrow(
      'Upgrade the answering process',
    )
    const stranger = createServer(socket =>
      socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    )
    stranger.listen(0, '127.0.0.1')
    await once(stranger, 'listening')
    const { port } = stranger.address() as AddressInfo
    await expect(newer.connect(`127.0.0.1:${port}`, 'echo', local)).rejects.toMatchObject({
      code: 'rpc.connection-refused',
    })
    stranger.close()
    await expect(newer.connect('127.0.0.1:1', 'echo', local)).rejects.toMatchObject({
      code: 'rpc.connection-refused',
      retry: 'backoff',
    })
  })

  test('an address where nobody answers is given up after the connect timeout', async () => {
    const server = await service('server')
    const { proxy, address } = await proxyTo(server.address)
    proxy.freeze()
    const other = await client('other', { connectTimeoutMs: 200 })
    await expect(other.connect(address, 'echo', { name: 'tester', handlers: () => ({}) })).rejects.toThrow(
      'no answer within 200 ms',
    )
  })

  test('an endpoint can refuse, with its own error', async () => {
    const server = await service('server')
    server.serve(
      new EchoEndpoint('picky', () => {
        throw new RangeError('not you')
      }),
    )
    const other = await client('other')
    const refusal = await other
      .connect(server.address, 'picky', { name: 'tester', handlers: () => ({}) })
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({ cause: { message: 'not you' } })
  })

  test('the own address is reached through memory, with the same rules', async () => {
    const server = await service('server')
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const session = await server.connect(server.address, 'echo', { name: 'tester', handlers: () => ({}) })
    const gateway = session.gateway(echoGateway)
    const value = { list: [1] }
    const answer = (await gateway.echo(value)) as typeof value
    expect(answer).toEqual(value)
    expect(answer).not.toBe(value)
    const hanging = gateway.hang()
    server.withdraw('echo')
    await expect(hanging).rejects.toMatchObject({ code: 'rpc.session-lost' })
  })

  test('a port in use is a clear error', async () => {
    const server = await service('server')
    const port = Number(server.address.split(':')[1])
    const second = new GrpcRpcService({ ...testProcess('x'), bindHost: '127.0.0.1', port }, testDependencies)
    await expect(second.start()).rejects.toMatchObject({ code: 'rpc.bind-failed' })
    await second.close()
  })

  test('a killed process is noticed within a second; a frozen one learns when it thaws', async () => {
    const settings = { heartbeatIntervalMs: 100, heartbeatTimeoutMs: 1000 }
    const server = await service('server', settings)
    const endpoint = new EchoEndpoint()
    server.serve(endpoint)
    const start = async (name: string) => {
      const child = fork(new URL('../testing/echo-child.ts', import.meta.url), [server.address, name], {
        execArgv: ['--conditions=@flink-ts/source'],
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      await once(child, 'message')
      const session = endpoint.sessions.at(-1)
      if (session === undefined) throw new Error('no session')
      return { child, session }
    }
    const frozen = await start('frozen')
    const killed = await start('killed')
    const killedAt = performance.now()
    killed.child.kill('SIGKILL')
    await lossOf(killed.session)
    expect(performance.now() - killedAt).toBeLessThan(1000)

    frozen.child.kill('SIGSTOP')
    expect((await lossOf(frozen.session)).message).toContain('nothing was heard')
    const lossOfFrozen = once(frozen.child, 'message')
    const thawedAt = performance.now()
    frozen.child.kill('SIGCONT')
    const [message] = (await lossOfFrozen) as [{ lost: string }]
    expect(message.lost).toContain('nothing was heard')
    expect(performance.now() - thawedAt).toBeLessThan(1000)
    // It closes its client then, and has to end by itself: nothing may keep it.
    await once(frozen.child, 'exit')
  }, 20_000)
})
