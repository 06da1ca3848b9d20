import http from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What happens to a request: an error as answer, half of the answer, no answer at all, or none although the request was
 * done; or the answer of a store whose credentials have expired, that is full, or without the bucket.
 */
export type Fault = 500 | 503 | 'half' | 'never' | 'lost' | 'ExpiredToken' | 'QuotaExceeded' | 'NoSuchBucket'

/** As S3 answers. */
const REFUSALS: Readonly<Record<string, number>> = {
  ExpiredToken: 400,
  QuotaExceeded: 403,
  NoSuchBucket: 404,
}

/** Stands before an HTTP server on loopback and does to its answers what storage does on a bad day. */
export class FaultProxy {
  readonly #server: http.Server
  readonly #target: string
  #plan: (method: string, url: string) => Fault | undefined = () => undefined
  /** How many requests were spoiled. */
  faults = 0

  private constructor(target: string) {
    this.#target = target
    this.#server = http.createServer((request, response) => this.#serve(request, response))
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** For all requests from now on. */
  plan(plan: (method: string, url: string) => Fault | undefined): void {
    this.#plan = plan
    this.faults = 0
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #serve(request: http.IncomingMessage, response: http.ServerResponse): void {
    const fault = this.#plan(request.method ?? '', request.url ?? '')
    if (fault !== undefined) this.faults++
    if (fault === 500 || fault === 503) {
      request.resume()
      request.on('end', () => {
        response.writeHead(fault, { 'content-type': 'application/xml' })
        response.end(`<Error><Code>${fault === 503 ? 'SlowDown' : 'InternalError'}</Code></Error>`)
      })
      return
    }
    const refusal = REFUSALS[String(fault)]
    if (refusal !== undefined) {
      request.resume()
      request.on('end', () => {
        response.writeHead(refusal, { 'content-type': 'application/xml' })
        response.end(`<Error><Code>${fault}</Code><Message>as of now</Message></Error>`)
      })
      return
    }
    if (fault === 'never') {
      request.resume()
      return
    }
    // Headers as they are: they are signed.
    const { method, headers } = request
    const onward = http.request(`${this.#target}${request.url}`, { method, headers }, answer => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        const body = Buffer.concat(chunks)
        if (fault === 'lost') {
          response.destroy()
          return
        }
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        if (fault === 'half') {
          response.write(body.subarray(0, body.length / 2), () => response.destroy())
        } else {
          response.end(body)
        }
      })
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  }
}
