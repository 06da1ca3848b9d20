import type { Clock, Logger, Timer } from '@flink-ts/common'
import type { DispatcherGateway } from '@flink-ts/gateways'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { TooManyEventStreams } from '../errors.ts'
import { jobOf } from './job-views.ts'

export const EVENTS_PATH = '/events'

const POLL_MS = 500
/** Proxies end what is silent for long. */
const KEEP_ALIVE_MS = 15_000
const MOST_STREAMS = 100
/** What waits for a reader that does not read; beyond, its stream ends, and it may come back for what is then. */
const MOST_WAITING_BYTES = 1024 * 1024

/**
 * Tells changes of jobs to those who listen, as server-sent events. Jobs are looked at only while somebody listens.
 * Owner: the REST server.
 */
export class JobEventStreams {
  readonly #ports: {
    readonly dispatcher: Pick<DispatcherGateway, 'listJobs'>
    readonly clock: Clock
    readonly logger: Logger
  }
  readonly #streams = new Set<FastifyReply['raw']>()
  /** Last event of each job, for those who come later. */
  #known = new Map<string, string>()
  #timer: Timer | undefined
  #polling = false
  #spokenMs = 0

  constructor(dependencies: {
    readonly dispatcher: Pick<DispatcherGateway, 'listJobs'>
    readonly clock: Clock
    readonly logger: Logger
  }) {
    this.#ports = dependencies
  }

  /** From now on this one is told, first of all jobs that there are. Throws `rest.too-many-event-streams`. */
  async add(reply: FastifyReply): Promise<void> {
    if (this.#streams.size >= MOST_STREAMS) throw TooManyEventStreams({ limit: MOST_STREAMS })
    // While nobody listened, nobody looked.
    if (this.#streams.size === 0) this.#known = await this.#look()
    reply.hijack()
    const { raw } = reply
    // It left while the jobs were listed: its end would not be told again.
    if (raw.destroyed) return
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    raw.write('retry: 2000\n\n')
    for (const event of this.#known.values()) raw.write(event)
    this.#streams.add(raw)
    raw.on('close', () => {
      this.#streams.delete(raw)
      if (this.#streams.size === 0) this.close()
    })
    this.#timer ??= this.#ports.clock.scheduleEvery(POLL_MS, () => this.#poll(), { unref: true })
  }

  /** Ends all streams. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const raw of this.#streams) raw.end()
    this.#streams.clear()
  }

  #poll(): void {
    if (this.#polling) return
    this.#polling = true
    this.#look()
      .then(
        jobs => this.#tell(jobs),
        (error: unknown) => this.#ports.logger.debug({ error }, 'Jobs could not be listed for events'),
      )
      .finally(() => {
        this.#polling = false
      })
  }

  #tell(jobs: Map<string, string>): void {
    const changed = [...jobs].filter(([id, event]) => this.#known.get(id) !== event).map(([, event]) => event)
    const removed = [...this.#known.keys()]
      .filter(id => !jobs.has(id))
      .map(id => eventText('removed', { id }))
    this.#known = jobs
    const nowMs = this.#ports.clock.monotonicMs()
    const text = [...changed, ...removed].join('')
    if (text === '' && nowMs - this.#spokenMs < KEEP_ALIVE_MS) return
    this.#spokenMs = nowMs
    for (const raw of this.#streams) {
      if (raw.writableLength > MOST_WAITING_BYTES) raw.destroy()
      else raw.write(text === '' ? ': still here\n\n' : text)
    }
  }

  /** The event of each job. */
  async #look(): Promise<Map<string, string>> {
    const jobs = await this.#ports.dispatcher.listJobs()
    return new Map(
      jobs.map(job => {
        // How long it has run changes all the time, and everybody can say it.
        const { durationMs: _, ...view } = jobOf(job, 0)
        return [view.id, eventText('job', view)]
      }),
    )
  }
}

export function addJobEvents(app: FastifyInstance, streams: JobEventStreams): void {
  app.get(`/v2${EVENTS_PATH}`, async (_request, reply) => {
    await streams.add(reply)
  })
}

function eventText(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}
