import http from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream'

/** An answer of a NameNode or DataNode. */
export interface HttpAnswer {
  readonly status: number
  readonly body: Buffer
  /** Where it sends us. */
  readonly location?: string
}

/** No answer. `sent`: the other side may have acted on the request. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
  readonly sent: boolean

  constructor(message: string, sent: boolean, cause?: unknown) {
    super(message, { cause })
    this.sent = sent
  }
}

/**
 * Requests over HTTP, none without a bound in time. By node:http, since DataNodes answer each upload with a
 * `100 Continue` that nobody asked for: undici, and so fetch, takes that for a broken answer.
 */
export class HttpExchange {
  readonly #connectTimeoutMs: number
  readonly #timeoutMs: number
  readonly #agents: { readonly http: http.Agent; readonly https: https.Agent }

  constructor(options: {
    readonly connectTimeoutMs: number
    /** How long the other side may say and take nothing. */
    readonly timeoutMs: number
    readonly connections: number
  }) {
    this.#connectTimeoutMs = options.connectTimeoutMs
    this.#timeoutMs = options.timeoutMs
    const agent = { keepAlive: true, maxSockets: options.connections }
    this.#agents = { http: new http.Agent(agent), https: new https.Agent(agent) }
  }

  /** Rejects with {@link NoAnswer}. A stream is read only once the connection stands. */
  send(method: string, url: string, body?: Uint8Array | Readable): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      let connected = false
      const secure = url.startsWith('https:')
      const request = (secure ? https : http).request(url, {
        method,
        agent: secure ? this.#agents.https : this.#agents.http,
        headers:
          body === undefined
            ? method === 'GET'
              ? {}
              : { 'content-length': 0 }
            : {
                'content-type': 'application/octet-stream',
                ...(body instanceof Uint8Array && { 'content-length': body.length }),
              },
      })
      const fail = (error: unknown): void => {
        clearTimeout(connecting)
        reject(new NoAnswer(error instanceof Error ? error.message : String(error), connected, error))
      }
      const connecting = setTimeout(
        () => request.destroy(new Error(`no connection within ${this.#connectTimeoutMs} ms`)),
        this.#connectTimeoutMs,
      )
      request.setTimeout(this.#timeoutMs, () =>
        request.destroy(new Error(`silent for ${this.#timeoutMs} ms`)),
      )
      request.on('error', fail)
      request.on('response', response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', fail)
        // An answer that breaks off ends in `aborted`, too.
        response.on('end', () => {
          if (!response.complete) fail(new Error('the answer broke off'))
          else {
            const { location } = response.headers
            const body = Buffer.concat(chunks)
            resolve({ status: response.statusCode ?? 0, body, ...(location !== undefined && { location }) })
          }
        })
      })
      const start = (): void => {
        clearTimeout(connecting)
        connected = true
        if (body === undefined || body instanceof Uint8Array) request.end(body)
        else {
          pipeline(body, request, error => {
            if (error != null) fail(error)
          })
        }
      }
      request.on('socket', socket => {
        if (socket.connecting) socket.once(secure ? 'secureConnect' : 'connect', start)
        else start()
      })
    })
  }
}
