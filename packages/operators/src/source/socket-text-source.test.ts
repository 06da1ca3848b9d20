import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { nullLogger } from '@flink-ts/common'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type SocketTextOptions, SocketTextSource } from './socket-text-source.ts'

let server: Server
let port: number
let clients: Socket[]
let connected: () => void
beforeEach(async () => {
  clients = []
  connected = () => {}
  server = createServer(socket => {
    clients.push(socket)
    connected()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(async () => {
  for (const client of clients) client.destroy()
  await new Promise(resolve => server.close(resolve))
})

/** The next connection. */
const client = (): Promise<Socket> =>
  new Promise(resolve => {
    const known = clients.length
    connected = () => resolve(clients[known] as Socket)
  })

function read(change: Partial<SocketTextOptions> = {}) {
  const source = new SocketTextSource({ host: '127.0.0.1', port, ...change })
  let wake = (): void => {}
  const failures: unknown[] = []
  const records: string[] = []
  const reader = source.createReader({
    subtaskIndex: 0,
    parallelism: 1,
    wake: () => wake(),
    fail: error => {
      failures.push(error)
      wake()
    },
    sendSplitRequest: () => {},
    sendSourceEvent: () => {},
    logger: nullLogger,
  })
  reader.addSplits(source.enumerateSplits())
  const output = { collect: (value: string) => void records.push(value) }
  /** Until so many records are there, the stream ends, or it fails. */
  const until = async (count: number): Promise<string> => {
    for (;;) {
      const woken = new Promise<void>(resolve => {
        wake = resolve
      })
      const answer = reader.poll(3, output)
      if (answer === 'end') return 'end'
      if (failures.length > 0) return 'failed'
      if (records.length >= count) return 'more'
      if (answer === 'wait') await woken
    }
  }
  return { reader, records, failures, until }
}

describe('SocketTextSource', () => {
  it('gives lines whatever the packets are, also the last one without an end', async () => {
    const accepted = client()
    const { reader, records, until } = read()
    const peer = await accepted
    const text = Buffer.from('eins\r\nzwöi\n🙂 drei\n\nlast')
    for (const byte of text) {
      peer.write(Buffer.of(byte))
      await new Promise(resolve => setImmediate(resolve))
    }
    peer.end()
    expect(await until(Number.POSITIVE_INFINITY)).toBe('end')
    expect(records).toEqual(['eins', 'zwöi', '🙂 drei', '', 'last'])
    expect(reader.snapshot()).toEqual([])
  })

  it('connects again as often as it may, with records of its own for each connection', async () => {
    let accepted = client()
    const { records, until } = read({ maxRetries: 1, retryDelay: 1, delimiter: ';' })
    const first = await accepted
    accepted = client()
    first.end('a;b')
    const second = await accepted
    second.write('c;')
    expect(await until(3)).toBe('more')
    second.destroy()
    // The retries begin anew with each connection that worked.
    accepted = client()
    const third = await accepted
    third.end('d;')
    await new Promise<void>(resolve => server.close(() => resolve()))
    expect(await until(Number.POSITIVE_INFINITY)).toBe('failed')
    expect(records).toEqual(['a', 'b', 'c', 'd'])
  })

  it('says whom it could not reach', async () => {
    await new Promise(resolve => server.close(resolve))
    const { failures, until } = read()
    expect(await until(1)).toBe('failed')
    expect(failures).toMatchObject([
      { code: 'operators.socket-failed', message: expect.stringContaining(`127.0.0.1:${port}`) },
    ])
  })

  it('takes no more from the socket than it can hold', async () => {
    const accepted = client()
    const { reader, until } = read()
    const peer = await accepted
    const line = `${'x'.repeat(999)}\n`
    let written = 0
    await new Promise<void>(resolve => {
      const write = (): void => {
        while (written < 200_000) {
          written++
          if (!peer.write(line)) {
            // Full, and nobody takes it: back pressure has reached the server.
            const timer = setTimeout(resolve, 200)
            peer.once('drain', () => {
              clearTimeout(timer)
              write()
            })
            return
          }
        }
        resolve()
      }
      write()
    })
    expect(written).toBeLessThan(200_000)
    expect(await until(written - 1)).toBe('more')
    await reader.close?.()
  })

  it('refuses options that make no sense', () => {
    const make = (change: Partial<SocketTextOptions>) => () =>
      new SocketTextSource({ host: 'h', port: 1, ...change })
    expect(make({ port: 70_000 })).toThrowError(/port.*70000.*65535/)
    expect(make({ delimiter: '' })).toThrowError(/delimiter/)
    expect(make({ maxRetries: -1 })).toThrowError(/maxRetries/)
    expect(make({ retryDelay: 'soon' as never })).toThrowError(/retryDelay/)
  })
})
