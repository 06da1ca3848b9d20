import { createServer, type Server } from 'node:http'
import { Readable } from 'node:stream'
import { isAuthToken, isLoopback, type Logger } from '@flink-ts/common'
import { PrometheusBindFailed, UnauthenticatedBinding } from '../errors.ts'
import { PrometheusText } from '../routes/prometheus-text.ts'
import { type ClusterMetricsDependencies, collectClusterMetrics } from './cluster-metrics.ts'

export interface PrometheusServerOptions {
  readonly bindAddress: string
  /** The first free one is taken. */
  readonly ports: { readonly from: number; readonly to: number }
  readonly allowUnauthenticated: boolean
  /** What requests must show as `Authorization: Bearer`; absent: nothing. */
  readonly authToken?: string | undefined
  /** Label `host` of the JobManager. */
  readonly host: string
}

export type PrometheusServerDependencies = ClusterMetricsDependencies

/**
 * Metrics of the whole cluster for Prometheus, at one address: what TaskManagers and tasks measure comes here anyway.
 * Collected when they are asked for, with pauses for other work of the thread.
 */
export class PrometheusServer {
  readonly #options: PrometheusServerOptions
  readonly #ports: PrometheusServerDependencies
  readonly #logger: Logger
  readonly #server: Server

  constructor(options: PrometheusServerOptions, dependencies: PrometheusServerDependencies) {
    this.#options = options
    this.#logger = dependencies.logger.child({ component: 'metrics' })
    this.#ports = { ...dependencies, logger: this.#logger }
    this.#server = createServer((request, response) => {
      const { authToken } = options
      if (
        authToken !== undefined &&
        !isAuthToken(request.headers.authorization ?? '', `Bearer ${authToken}`)
      ) {
        response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
        return
      }
      if (request.method !== 'GET') {
        response.writeHead(405, { allow: 'GET' }).end()
        return
      }
      this.#collect().then(
        text => {
          response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          Readable.from(text.parts()).pipe(response)
        },
        (error: unknown) => {
          this.#logger.warn({ error }, 'Metrics could not be collected')
          response.writeHead(503).end()
        },
      )
    })
  }

  /** Listens and answers the port. Throws `rest.unauthenticated-binding` or `rest.prometheus-bind-failed`. */
  async start(): Promise<number> {
    const { bindAddress, ports, authToken, allowUnauthenticated } = this.#options
    if (!isLoopback(bindAddress) && authToken === undefined && !allowUnauthenticated)
      throw UnauthenticatedBinding({ bindAddress })
    let reason = 'no port is given'
    for (let port = ports.from; port <= ports.to; port++) {
      try {
        return await this.#listen(port)
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error)
        if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') break
      }
    }
    throw PrometheusBindFailed({ bindAddress, ports: `${ports.from}-${ports.to}`, reason })
  }

  /** Ends open connections, too. */
  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, this.#options.bindAddress, () => {
        this.#server.off('error', reject)
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  async #collect(): Promise<PrometheusText> {
    const text = new PrometheusText()
    await collectClusterMetrics(this.#options.host, this.#ports, (...sample) => text.add(...sample))
    return text
  }
}
