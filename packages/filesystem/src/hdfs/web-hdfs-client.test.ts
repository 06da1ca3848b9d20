import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { HttpExchange } from './http-exchange.ts'
import { WebHdfsClient } from './web-hdfs-client.ts'

interface Request {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
}
type Answer = {
  readonly status?: number
  readonly json?: unknown
  readonly body?: Buffer
  readonly location?: string
}

const servers: http.Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A server that answers by a function; `lost`: it takes the request and hangs up. */
async function serve(answer: (request: Request) => Answer | 'lost'): Promise<string> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://x')
      const body = Buffer.concat(chunks)
      const path = decodeURIComponent(url.pathname)
      const given = answer({ method: request.method ?? '', path, query: url.searchParams, body })
      if (given === 'lost') {
        response.destroy()
        return
      }
      if (given.location !== undefined) response.setHeader('location', given.location)
      response.writeHead(given.status ?? 200)
      response.end(given.body ?? (given.json === undefined ? '' : JSON.stringify(given.json)))
    })
  })
  servers.push(server)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const remote = (exception: string, status = 403): Answer => ({
  status,
  json: { RemoteException: { exception, message: `${exception} says\nmore` } },
})
const FILE = { FileStatus: { pathSuffix: '', type: 'FILE', length: 7, modificationTime: 1 } }
const purpose = { uri: 'hdfs://x/f', operation: 'test' }
const client = (...nameNodes: string[]): WebHdfsClient =>
  new WebHdfsClient(
    { nameNodes, identity: { 'user.name': 'me' }, attempts: 4 },
    { http: new HttpExchange({ connectTimeoutMs: 30_000, timeoutMs: 30_000, connections: 4 }) },
  )
const gone = 'http://127.0.0.1:1'

test('a standby is left for the active one, and not asked again', async () => {
  let asked = 0
  const standby = await serve(() => {
    asked++
    return remote('StandbyException')
  })
  const active = await serve(({ query, path }) => {
    expect(query.get('user.name')).toBe('me')
    expect(path).toBe('/webhdfs/v1/a b#')
    return { json: FILE }
  })
  const hdfs = client(standby, gone, active)
  expect((await hdfs.status('/a b#', purpose))?.length).toBe(7)
  expect((await hdfs.status('/a b#', purpose))?.length).toBe(7)
  expect(asked).toBe(1)
})

test('when nobody is active the answer of the last one is the error', async () => {
  const standby = await serve(() => remote('StandbyException'))
  await expect(client(standby).status('/f', purpose)).rejects.toThrow(/StandbyException says/)
})

test('a rename whose answer was lost is seen to have happened; one that did not is refused', async () => {
  const files = new Set(['/webhdfs/v1/from'])
  let lost = 1
  const nameNode = await serve(({ query, path }) => {
    if (query.get('op') === 'GETFILESTATUS') {
      return files.has(path) ? { json: FILE } : remote('FileNotFoundException', 404)
    }
    expect(query.get('renameoptions')).toBe('NONE')
    if (!files.delete(path)) return remote('FileNotFoundException', 404)
    files.add('/webhdfs/v1/to')
    return lost-- > 0 ? 'lost' : {}
  })
  const hdfs = client(nameNode)
  await hdfs.rename('/from', '/to', 'create', purpose)
  expect([...files]).toEqual(['/webhdfs/v1/to'])
  await expect(hdfs.rename('/from', '/to', 'create', purpose)).rejects.toMatchObject({
    code: 'filesystem.not-found',
  })
})

test('dead DataNodes are named to the NameNode, and one that refuses is an error', async () => {
  let stored = ''
  const dataNode = await serve(({ body }) => {
    stored = body.toString()
    return stored === 'refused' ? { status: 503 } : { status: 201 }
  })
  const nameNode = await serve(({ query }) => {
    expect(query.get('noredirect')).toBe('true')
    const excluded = query.get('excludedatanodes')
    return { json: { Location: `${excluded === '127.0.0.1' ? dataNode : gone}/x?op=CREATE` } }
  })
  await client(nameNode).create('/f', Buffer.from('content'), false, purpose)
  expect(stored).toBe('content')
  await expect(client(nameNode).create('/f', Buffer.from('refused'), false, purpose)).rejects.toMatchObject({
    code: 'filesystem.io',
  })
})

test('when all DataNodes are left out, they are asked for again', async () => {
  const dataNode = await serve(() => ({ status: 201 }))
  const asked: (string | null)[] = []
  const nameNode = await serve(({ query }) => {
    const excluded = query.get('excludedatanodes')
    asked.push(excluded)
    if (excluded !== null) return remote('IOException')
    return { json: { Location: `${asked.length > 1 ? dataNode : 'http://localhost:1'}/x?op=CREATE` } }
  })
  await client(nameNode).create('/f', Buffer.from('content'), false, purpose)
  expect(asked).toEqual([null, expect.stringMatching(/^(127\.0\.0\.1|::1)$/), null])
  const refusing = await serve(({ query }) =>
    query.has('excludedatanodes')
      ? remote('FileNotFoundException', 404)
      : { json: { Location: `${gone}/x?op=OPEN` } },
  )
  await expect(client(refusing).read('/f', 0, 1, purpose)).rejects.toMatchObject({
    code: 'filesystem.not-found',
  })
})

test('an upload that broke is repeated only if the file is ours', async () => {
  let uploads = 0
  const dataNode = await serve(() => (uploads++ === 0 ? 'lost' : { status: 201 }))
  // As gateways do: sends on by a redirection.
  const nameNode = await serve(() => ({ status: 307, location: `${dataNode}/x` }))
  await expect(client(nameNode).create('/f', Buffer.from('x'), false, purpose)).rejects.toThrow(
    /no answer of/,
  )
  expect(uploads).toBe(1)
  uploads = 0
  await client(nameNode).create('/f', Buffer.from('x'), true, purpose)
  expect(uploads).toBe(2)
})

test('a read that gives too little is repeated, and never taken for the file', async () => {
  let reads = 0
  const dataNode = await serve(() => ({ body: Buffer.from('content'.slice(0, reads++ === 0 ? 3 : 7)) }))
  const nameNode = await serve(() => ({ json: { Location: `${dataNode}/x` } }))
  expect((await client(nameNode).read('/f', 0, 7, purpose)).toString()).toBe('content')
  await expect(client(nameNode).read('/f', 0, 8, purpose)).rejects.toThrow('7 bytes came instead of 8')
})

test('what is no WebHDFS is said so', async () => {
  const other = await serve(() => ({ status: 404, body: Buffer.from('<html>') }))
  await expect(client(other).status('/f', purpose)).rejects.toThrow(
    /does not answer as WebHDFS.*hdfs\.webhdfs\.addresses/,
  )
  const login = await serve(() => ({ status: 401, body: Buffer.from('<html>') }))
  await expect(client(login).list('/f', purpose)).rejects.toThrow(/hdfs\.delegation\.token/)
  const nonsense = await serve(() => ({ body: Buffer.from('<html>') }))
  await expect(client(nonsense).status('/f', purpose)).rejects.toMatchObject({ code: 'filesystem.io' })
})
