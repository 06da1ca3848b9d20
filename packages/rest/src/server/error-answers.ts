import { type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { isFlinkError, type Logger } from '@flink-ts/common'
import type { FastifyHttpOptions, FastifyInstance, FastifyReply } from 'fastify'
import {
  CheckpointNotKnown,
  ForeignPage,
  LogNotFound,
  OperationNotFound,
  ProfileNotFound,
  SubtaskNotFound,
  TaskManagerNotFound,
  TriggerNotFound,
  UploadTooLarge,
  VertexNotFound,
} from '../errors.ts'

// Of other components; the class cannot be shared, components meet in gateways.
const NOT_FOUND = [
  'dispatcher.job-not-found',
  'dispatcher.savepoint-not-known',
  'resourcemanager.task-manager-not-found',
  'cluster.log-file-not-found',
  'cluster.job-not-archived',
]
const OWN_NOT_FOUND = [
  CheckpointNotKnown,
  LogNotFound,
  OperationNotFound,
  ProfileNotFound,
  SubtaskNotFound,
  TaskManagerNotFound,
  TriggerNotFound,
  VertexNotFound,
]

/** How a server says that a request failed: whatever is wrong, the body is `{"errors": [text, ...]}`, as Flink's. */
export interface ErrorAnswers {
  /** For what fails before there is a request: bad URLs, bad HTTP. */
  readonly serverOptions: Pick<FastifyHttpOptions<Server>, 'frameworkErrors' | 'clientErrorHandler' | 'http'>
  /** Must come before the routes. */
  addTo(server: FastifyInstance): void
}

/** Statuses follow the domain of the error: 400 or 404 user, 503 external, 500 internal, which is logged. */
export function errorAnswers(logger: Logger): ErrorAnswers {
  return {
    serverOptions: {
      // A missing Host header is nobody's problem here, and Node's own answer to it has no text.
      http: { requireHostHeader: false },
      frameworkErrors(error, _request, reply) {
        // Its type knows no answers, since the request found no route.
        const plain = reply as unknown as FastifyReply
        void plain.code(statusOf(error)).send(bodyOf(error.message)) // Fastify reports what fails while sending.
      },
      clientErrorHandler(error, socket) {
        answerBadHttp(error as NodeJS.ErrnoException, socket)
      },
    },
    addTo(server) {
      const routes = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>()
      server.addHook('onRoute', ({ url, method }) => {
        const route = routes.get(url) ?? { pattern: patternOf(url), methods: new Set() }
        for (const each of [method].flat()) route.methods.add(each)
        routes.set(url, route)
      })
      server.setNotFoundHandler(async (request, reply) => {
        const path = request.url.split('?')[0] as string
        const fitting = [...routes.values()].filter(({ pattern }) => pattern.test(path))
        const allowed = [...new Set(fitting.flatMap(({ methods }) => [...methods]))].sort()
        if (allowed.length > 0) {
          const message = `${request.method} is not possible at ${path}: use ${allowed.join(', ')}.`
          return await reply.code(405).header('allow', allowed.join(', ')).send(bodyOf(message))
        }
        await reply.code(404).send(bodyOf(`Not found: ${request.method} ${request.url}`))
      })
      server.setErrorHandler(async (error, request, reply) => {
        const status = statusOf(error)
        if (status >= 500) logger.warn({ method: request.method, url: request.url, error }, 'Request failed')
        await reply.code(status).send(bodyOf(error instanceof Error ? error.message : String(error)))
      })
      // Many clients name the type of a body that they do not send.
      server.removeContentTypeParser('application/json')
      server.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
        try {
          done(null, text === '' ? undefined : JSON.parse(text as string))
        } catch (error) {
          done(Object.assign(new Error(`The body is not valid JSON: ${String(error)}`), { statusCode: 400 }))
        }
      })
    },
  }
}

/** Matches paths of a route such as `/jobs/:jobId`. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map(part => {
    if (part === '*') return '.*'
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  })
  return new RegExp(`^${parts.join('/')}/?$`)
}

const bodyOf = (message: string): { errors: string[] } => ({ errors: [message] })

function statusOf(error: unknown): number {
  if (isFlinkError(error)) {
    if (NOT_FOUND.includes(error.code) || OWN_NOT_FOUND.some(own => own.is(error))) return 404
    if (UploadTooLarge.is(error)) return 413
    if (ForeignPage.is(error)) return 403
    if (error.domain === 'user') return 400
    return error.domain === 'external' ? 503 : 500
  }
  // Fastify's own errors (malformed requests) carry their status.
  const { statusCode: status, message } = error as { statusCode?: unknown; message?: unknown }
  if (typeof status === 'number') return status
  // Of the reader of multipart bodies, whose errors have neither status nor code.
  const malformed =
    /^(Multipart: |Unexpected end of (multipart data|form)|Part terminated early|Malformed part)/
  return typeof message === 'string' && malformed.test(message) ? 400 : 500
}

/** Node could not read the request, so there is none to reply to. */
function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : error.code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
  const body = JSON.stringify(bodyOf(`This is no valid HTTP request: ${error.message}`))
  const head =
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n`
  if (socket.writable) socket.end(head + body)
  else socket.destroy()
}
