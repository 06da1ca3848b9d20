import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer, request as forward, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json',
}

/** Serves the static files of a folder, and what is no file of it from the REST port of a cluster, all at one origin. */
export class DashboardProxy {
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(folder: string, restPort: number): Promise<DashboardProxy> {
    const server = createServer((incoming, outgoing) => {
      const { pathname } = new URL(incoming.url ?? '/', 'http://proxy')
      const file = join(folder, pathname === '/' ? 'index.html' : pathname)
      if (file.startsWith(folder) && existsSync(file) && statSync(file).isFile()) {
        outgoing.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
        outgoing.end(readFileSync(file))
        return
      }
      const { method, url: path, headers } = incoming
      const onward = forward({ host: '127.0.0.1', port: restPort, method, path, headers }, answer => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      onward.on('error', error => outgoing.destroy(error))
      outgoing.on('close', () => onward.destroy())
      incoming.pipe(onward)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new DashboardProxy(server)
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
