import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { FileIoFailed } from '../errors.ts'
import { type HdfsPurpose, remoteFailureOf, toHdfsError } from './hdfs-errors.ts'
import { type HttpAnswer, type HttpExchange, NoAnswer } from './http-exchange.ts'

const FIRST_DELAY_MS = 100
const LONGEST_DELAY_MS = 3000

/** This NameNode does not decide now: another one may. */
const ELSEWHERE: ReadonlySet<string> = new Set(['StandbyException', 'ObserverRetryOnActiveException'])
/** It may decide soon. */
const LATER: ReadonlySet<string> = new Set([
  'RetriableException',
  'SafeModeException',
  'RetryStartFileException',
])

type Parameters = Readonly<Record<string, string>>

export interface HdfsStatus {
  /** Name below the folder that was listed; empty for the path itself. */
  readonly pathSuffix: string
  readonly type: 'FILE' | 'DIRECTORY' | 'SYMLINK'
  readonly length: number
  readonly modificationTime: number
}

/** What became of a call: what is done twice may fail by its first time. */
interface Outcome {
  readonly answer: HttpAnswer
  readonly server: string
  /** An earlier attempt may have had its effect. */
  readonly repeated: boolean
}

/**
 * The WebHDFS protocol with one or several NameNodes: asks the next one when one is standby or gone, asks a NameNode for
 * a DataNode and talks to that, and asks for another one when that is gone. Owner of which NameNode is active: itself.
 */
export class WebHdfsClient {
  readonly #nameNodes: readonly string[]
  readonly #identity: Parameters
  readonly #attempts: number
  readonly #http: HttpExchange
  #active = 0

  constructor(
    options: {
      /** `http://host:port` */
      readonly nameNodes: readonly string[]
      /** `user.name` or `delegation`. */
      readonly identity: Parameters
      readonly attempts: number
    },
    dependencies: { readonly http: HttpExchange },
  ) {
    this.#nameNodes = options.nameNodes
    this.#identity = options.identity
    this.#attempts = options.attempts
    this.#http = dependencies.http
  }

  /** Undefined: nothing is there. */
  async status(path: string, purpose: HdfsPurpose): Promise<HdfsStatus | undefined> {
    const { answer, server } = await this.#ask('GET', 'GETFILESTATUS', path, {}, purpose)
    if (answer.status === 200) return parsed<{ FileStatus: HdfsStatus }>(answer, server, purpose).FileStatus
    // A file where a folder would have to be: nothing is below it.
    const { exception } = remoteFailureOf(answer)
    if (exception === 'FileNotFoundException' || exception === 'ParentNotDirectoryException') return undefined
    throw toHdfsError(answer, server, purpose)
  }

  /** Undefined: no such folder. Of a file: its own status, with an empty name. */
  async list(path: string, purpose: HdfsPurpose): Promise<readonly HdfsStatus[] | undefined> {
    const { answer, server } = await this.#ask('GET', 'LISTSTATUS', path, {}, purpose)
    if (answer.status === 200) {
      type Listing = { readonly FileStatuses: { readonly FileStatus: readonly HdfsStatus[] } }
      return parsed<Listing>(answer, server, purpose).FileStatuses.FileStatus
    }
    if (remoteFailureOf(answer).exception === 'FileNotFoundException') return undefined
    throw toHdfsError(answer, server, purpose)
  }

  async makeDirectory(path: string, purpose: HdfsPurpose): Promise<void> {
    const { answer, server } = await this.#ask('PUT', 'MKDIRS', path, {}, purpose)
    if (answer.status !== 200) throw toHdfsError(answer, server, purpose)
    if (!parsed<{ boolean: boolean }>(answer, server, purpose).boolean) {
      throw FileIoFailed({ ...purpose, reason: 'the NameNode refused', hint: 'Check its log.' })
    }
  }

  /** Idempotent. */
  async delete(path: string, recursive: boolean, purpose: HdfsPurpose): Promise<void> {
    const parameters = { recursive: String(recursive) }
    const { answer, server } = await this.#ask('DELETE', 'DELETE', path, parameters, purpose)
    if (answer.status === 200) return
    if (remoteFailureOf(answer).exception !== 'FileNotFoundException')
      throw toHdfsError(answer, server, purpose)
  }

  /**
   * By `renameoptions`, which says what went wrong: the plain form answers false for a missing source and for a target
   * that exists.
   * @param mode create: rejects with `filesystem.already-exists` if there is a target
   */
  async rename(from: string, to: string, mode: 'create' | 'overwrite', purpose: HdfsPurpose): Promise<void> {
    const parameters = { destination: to, renameoptions: mode === 'create' ? 'NONE' : 'OVERWRITE' }
    const { answer, server, repeated } = await this.#ask('PUT', 'RENAME', from, parameters, purpose)
    if (answer.status === 200) return
    if (repeated) {
      // The first time may have done it, with its answer lost: nobody else renames this source.
      const [source, target] = await Promise.all([this.status(from, purpose), this.status(to, purpose)])
      if (source === undefined && target !== undefined) return
    }
    throw toHdfsError(answer, server, purpose)
  }

  /** Makes a file with its whole content. With `overwrite` repeated until it succeeds. */
  async create(path: string, content: Uint8Array, overwrite: boolean, purpose: HdfsPurpose): Promise<void> {
    const parameters = { overwrite: String(overwrite) }
    const outcome = await this.#exchange('PUT', 'CREATE', path, parameters, purpose, {
      talk: url => this.#http.send('PUT', url, content),
      again: overwrite ? 'always' : 'if-not-sent',
    })
    if (outcome.answer.status !== 201) throw toHdfsError(outcome.answer, outcome.server, purpose)
  }

  /**
   * Sends the content of a stream: CREATE replaces the file, APPEND continues it. Not repeated once bytes have left.
   * @param open called when the DataNode has answered the call, and has the connection
   */
  async stream(
    op: 'CREATE' | 'APPEND',
    path: string,
    open: () => Readable,
    purpose: HdfsPurpose,
  ): Promise<void> {
    const method = op === 'CREATE' ? 'PUT' : 'POST'
    const parameters: Parameters = op === 'CREATE' ? { overwrite: 'true' } : {}
    const outcome = await this.#exchange(method, op, path, parameters, purpose, {
      talk: url => this.#http.send(method, url, open()),
      again: 'if-not-sent',
    })
    const { status } = outcome.answer
    if (status !== 200 && status !== 201) throw toHdfsError(outcome.answer, outcome.server, purpose)
  }

  /** Bytes `[offset, offset + length)` of a file that has them all. */
  async read(path: string, offset: number, length: number, purpose: HdfsPurpose): Promise<Buffer> {
    const parameters = { offset: String(offset), length: String(length) }
    const { answer, server } = await this.#exchange('GET', 'OPEN', path, parameters, purpose, {
      talk: async url => {
        const read = await this.#http.send('GET', url)
        if (read.status === 200 && read.body.length !== length) {
          throw new NoAnswer(`${read.body.length} bytes came instead of ${length}`, true)
        }
        return read
      },
      again: 'always',
    })
    if (answer.status !== 200) throw toHdfsError(answer, server, purpose)
    return answer.body
  }

  /**
   * Asks for a DataNode, then talks to it; the address of one that is gone is named in the next question. By its IP
   * address alone: the NameNode knows ports of DataNodes only by those of their own protocol. Where DataNodes share an
   * address it leaves out any one of them.
   */
  async #exchange(
    method: string,
    op: string,
    path: string,
    parameters: Parameters,
    purpose: HdfsPurpose,
    how: { readonly talk: (url: string) => Promise<HttpAnswer>; readonly again: 'always' | 'if-not-sent' },
  ): Promise<Outcome> {
    const gone = new Set<string>()
    for (let attempt = 1; ; attempt++) {
      const excluded: Parameters = gone.size === 0 ? {} : { excludedatanodes: [...gone].join(',') }
      const asked = await this.#ask(
        method,
        op,
        path,
        { ...parameters, noredirect: 'true', ...excluded },
        purpose,
      )
      const { status, location } = asked.answer
      // Gateways and old NameNodes send us on all the same.
      const redirected = status === 307 && location !== undefined
      if (status !== 200 && !redirected) {
        // None is left: one that was left out may be back, or was not meant.
        if (gone.size === 0 || attempt >= this.#attempts || !isFleeting(asked.answer)) return asked
        gone.clear()
        continue
      }
      const url = redirected
        ? location
        : parsed<{ Location: string }>(asked.answer, asked.server, purpose).Location
      const { origin, hostname } = new URL(url)
      try {
        const answer = await how.talk(url)
        // Of what a DataNode reports, connections to others are what may be better the next time.
        const tryAgain = how.again === 'always' && answer.status >= 403 && isFleeting(answer)
        if (!tryAgain || attempt >= this.#attempts) return { answer, server: origin, repeated: attempt > 1 }
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        if (attempt >= this.#attempts || (error.sent && how.again === 'if-not-sent')) {
          throw unanswered(origin, attempt, error, purpose)
        }
        gone.add(await addressOf(hostname))
        // All may be back by now.
        if (attempt % 3 === 0) gone.clear()
      }
      await delay(pause(attempt))
    }
  }

  async #ask(
    method: string,
    op: string,
    path: string,
    parameters: Parameters,
    purpose: HdfsPurpose,
  ): Promise<Outcome> {
    const query = new URLSearchParams({ op, ...this.#identity, ...parameters }).toString()
    const encoded = path.split('/').map(encodeURIComponent).join('/')
    let repeated = false
    for (let attempt = 1; ; attempt++) {
      const used = this.#active
      const server = this.#nameNodes[used % this.#nameNodes.length] as string
      const last = attempt >= this.#attempts
      try {
        const answer = await this.#http.send(method, `${server}/webhdfs/v1${encoded}?${query}`)
        const exception = answer.status < 300 ? '' : remoteFailureOf(answer).exception
        const elsewhere = ELSEWHERE.has(exception)
        if (last || (!elsewhere && !LATER.has(exception))) return { answer, server, repeated }
        if (elsewhere) this.#leave(used)
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        if (last) throw unanswered(server, attempt, error, purpose)
        repeated ||= error.sent
        this.#leave(used)
      }
      // The other ones are asked at once.
      if (attempt % this.#nameNodes.length === 0)
        await delay(pause(Math.ceil(attempt / this.#nameNodes.length)))
    }
  }

  /** Unless another call has left it already. */
  #leave(used: number): void {
    if (this.#active === used) this.#active++
  }
}

/** The IP address of a host; its name if nobody knows it. */
async function addressOf(hostname: string): Promise<string> {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host)).address
  } catch {
    // Then the NameNode takes it for what it is, and may choose the same DataNode again.
    return host
  }
}

function pause(attempt: number): number {
  return Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1))
}

/** DataNodes report what their own connections to NameNode and DataNodes suffer as an IOException. */
function isFleeting(answer: HttpAnswer): boolean {
  const { exception } = remoteFailureOf(answer)
  return (
    LATER.has(exception) ||
    [
      'IOException',
      'ConnectException',
      'BlockMissingException',
      'SocketTimeoutException',
      'EOFException',
    ].includes(exception)
  )
}

function parsed<T>(answer: HttpAnswer, server: string, purpose: HdfsPurpose): T {
  try {
    return JSON.parse(answer.body.toString()) as T
  } catch {
    // Answers of something that is not WebHDFS.
    throw toHdfsError({ status: answer.status, body: Buffer.alloc(0) }, server, purpose)
  }
}

function unanswered(server: string, attempts: number, error: NoAnswer, purpose: HdfsPurpose): Error {
  const tried = attempts > 1 ? `, tried ${attempts} times` : ''
  const reason = `no answer of ${server} (${error.message}${tried})`
  const hint =
    'Check that it runs and can be reached from this host; hdfs.connection.timeout bounds the wait.'
  return FileIoFailed({ ...purpose, reason, hint }, error)
}
