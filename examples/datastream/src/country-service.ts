// Names of countries over HTTP, for async-enrichment.ts. Every tenth request fails, as services do.
import { createServer } from 'node:http'

const NAMES: Readonly<Record<string, string>> = { de: 'Germany', fr: 'France', it: 'Italy' }
let requests = 0

const server = createServer((request, response) => {
  const name = NAMES[/^\/countries\/(\w+)$/.exec(request.url ?? '')?.[1] ?? '']
  requests++
  if (requests % 10 === 0) response.writeHead(503).end()
  else if (name === undefined) response.writeHead(404).end()
  else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ name }))
})
server.listen(Number(process.argv[2] ?? 8090), '127.0.0.1', () => {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : ''
  console.log(`listening on http://127.0.0.1:${port}`)
})
