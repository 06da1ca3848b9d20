import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { FileOutput } from '../api/file-system.ts'
import { FileIoFailed } from '../errors.ts'
import type { HdfsPurpose } from './hdfs-errors.ts'
import type { WebHdfsClient } from './web-hdfs-client.ts'

/** Files up to this size are sent whole, and so again if a DataNode dies meanwhile. */
const WHOLE_BYTES = 8 * 2 ** 20

/** Bytes on their way to a DataNode in one request. */
interface Transfer {
  readonly stream: PassThrough
  /** Never rejects: with the failure, if there was one. */
  readonly ended: Promise<unknown>
}

/** A file that exists and is empty, being written. Its length is compared before it is reported durable. */
export class HdfsFileOutput implements FileOutput {
  readonly #path: string
  readonly #purpose: HdfsPurpose
  readonly #client: WebHdfsClient
  #position = 0
  /** In no request yet. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #transfer: Transfer | undefined
  /** Bytes that are known to be in the file. */
  #durable = 0
  #state: 'open' | 'closed' | 'failed' = 'open'

  constructor(
    options: { readonly path: string; readonly purpose: HdfsPurpose },
    dependencies: { readonly client: WebHdfsClient },
  ) {
    this.#path = options.path
    this.#purpose = options.purpose
    this.#client = dependencies.client
  }

  get position(): number {
    return this.#position
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#position += bytes.length
    this.#waiting.push(Uint8Array.prototype.slice.call(bytes))
    this.#waitingBytes += bytes.length
    if (this.#transfer === undefined && this.#waitingBytes <= WHOLE_BYTES) return
    this.#transfer ??= this.#begin()
    await this.#pass(this.#transfer)
  }

  async sync(): Promise<void> {
    if (this.#durable === this.#position) return
    try {
      // What was durable before stays: it is continued.
      if (this.#transfer === undefined && this.#durable === 0) {
        await this.#client.create(this.#path, Buffer.concat(this.#waiting), true, this.#purpose)
        this.#waiting = []
        this.#waitingBytes = 0
      } else {
        const transfer = this.#transfer ?? this.#begin()
        this.#transfer = transfer
        await this.#pass(transfer)
        transfer.stream.end()
        const failure = await transfer.ended
        if (failure !== undefined) throw failure
        this.#transfer = undefined
      }
      const found = (await this.#client.status(this.#path, this.#purpose))?.length
      if (found !== this.#position) {
        const reason = `it has ${found ?? 'no'} bytes instead of ${this.#position}`
        throw FileIoFailed({ ...this.#purpose, reason, hint: 'Check the logs of the DataNodes.' })
      }
      this.#durable = this.#position
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    await this.sync()
    this.#state = 'closed'
  }

  async abort(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#waiting = []
    // Ended, not cut off: a DataNode may make the file after the connection is gone, and after it was deleted.
    this.#transfer?.stream.end()
    await this.#transfer?.ended
    await this.#client.delete(this.#path, false, { ...this.#purpose, operation: 'delete' })
  }

  #begin(): Transfer {
    const stream = new PassThrough({ highWaterMark: 1 << 20 })
    // Its failures are those of the request.
    stream.on('error', () => undefined)
    const op = this.#durable === 0 ? 'CREATE' : 'APPEND'
    const ended = this.#client
      .stream(op, this.#path, () => stream, this.#purpose)
      .then(
        () => undefined,
        (error: unknown) => {
          stream.destroy()
          return error
        },
      )
    return { stream, ended }
  }

  /** Hands what waits to the request; resolves when it wants more. */
  async #pass({ stream, ended }: Transfer): Promise<void> {
    const bytes = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    let wantsMore = true
    for (const some of bytes) {
      if (stream.destroyed) break
      wantsMore = stream.write(some)
    }
    if (!wantsMore && !stream.destroyed) {
      await Promise.race([once(stream, 'drain').catch(() => undefined), ended])
    }
    if (stream.destroyed) {
      this.#state = 'failed'
      const failure = await ended
      const reason = 'the connection to the DataNode broke'
      throw failure ?? FileIoFailed({ ...this.#purpose, reason, hint: 'Check the logs of the DataNodes.' })
    }
  }
}
