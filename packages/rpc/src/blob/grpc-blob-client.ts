import { once } from 'node:events'
import { deserializeError, isFlinkError, type SerializedError } from '@flink-ts/common'
import type * as Grpc from '@grpc/grpc-js'
import { BlobTransferFailed, ConnectionRefused } from '../errors.ts'
import { type BlobPart, type BlobStatus, blobService } from '../gen/blob.ts'
import { plainReason } from '../transport/grpc-link.ts'
import type { BlobAccess } from './blob-access.ts'
import { blobKeyOf, partsOf, writeVerified } from './blob-file.ts'
import { checkedBlobKey } from './blob-key.ts'

/** Blobs of other processes over gRPC. Each transfer has a connection of its own, so that it holds up no calls. */
export class GrpcBlobClient implements BlobAccess {
  readonly #grpc: typeof Grpc
  readonly #options: Grpc.ClientOptions
  readonly #clients = new Set<Grpc.Client>()

  constructor(options: Grpc.ClientOptions, dependencies: { readonly grpc: typeof Grpc }) {
    this.#options = options
    this.#grpc = dependencies.grpc
  }

  async put(address: string, content: string | Uint8Array): Promise<string> {
    const key = await blobKeyOf(content)
    if (await this.has(address, key)) return key
    await this.#with(address, key, client => sendParts(client, key, content))
    return key
  }

  async has(address: string, key: string): Promise<boolean> {
    return this.#with(address, checkedBlobKey(key), async client => {
      const { path, requestSerialize, responseDeserialize } = blobService.has
      const { promise, resolve, reject } = Promise.withResolvers<BlobStatus>()
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { key }, (error, status) => {
        if (error !== null) reject(error)
        else resolve(status as BlobStatus)
      })
      return presentIn(await promise)
    })
  }

  async get(address: string, key: string, targetFile: string): Promise<void> {
    await this.#with(address, checkedBlobKey(key), async client => {
      const { path, requestSerialize, responseDeserialize } = blobService.get
      const parts = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { key })
      // The call may fail while the file is still being opened: nobody listens to the stream yet, which would end the
      // process, and who reads it later finds only its end.
      let failure: Error | undefined
      parts.on('error', error => {
        failure = error
      })
      const data = dataOf(parts, () => failure)
      await writeVerified(key, data, targetFile, { where: `received from ${address}` })
    })
  }

  /** Breaks off what is under way. */
  close(): void {
    for (const client of this.#clients) client.close()
  }

  async #with<T>(address: string, key: string, transfer: (client: Grpc.Client) => Promise<T>): Promise<T> {
    const client = new this.#grpc.Client(address, this.#grpc.credentials.createInsecure(), this.#options)
    this.#clients.add(client)
    try {
      return await transfer(client)
    } catch (error) {
      if (isFlinkError(error) || !isServiceError(error)) throw error
      const reason = error.details
      if (error.code === this.#grpc.status.UNAVAILABLE && reason.startsWith('No connection established')) {
        throw ConnectionRefused({ address, endpoint: 'blobs', reason: plainReason(reason) }, error)
      }
      throw BlobTransferFailed({ key, address, reason }, error)
    } finally {
      this.#clients.delete(client)
      client.close()
    }
  }
}

async function sendParts(client: Grpc.Client, key: string, content: string | Uint8Array): Promise<void> {
  const { path, requestSerialize, responseDeserialize } = blobService.put
  const { promise, resolve, reject } = Promise.withResolvers<BlobStatus>()
  const stream = client.makeClientStreamRequest(
    path,
    requestSerialize,
    responseDeserialize,
    (error, status) => {
      if (error !== null) reject(error)
      else resolve(status as BlobStatus)
    },
  )
  // The answer may come early: the store has seen enough, or is gone.
  const answered = new AbortController()
  const status = promise.finally(() => answered.abort())
  status.catch(() => {}) // Awaited below; it may fail while a part is being written.
  try {
    stream.write({ content: { case: 'header', value: { key } } } satisfies BlobPart)
    for await (const part of partsOf(content)) {
      if (answered.signal.aborted) break
      const room = stream.write({ content: { case: 'data', value: part } } satisfies BlobPart)
      if (!room) await once(stream, 'drain', { signal: answered.signal })
    }
  } catch (error) {
    if (!answered.signal.aborted) {
      stream.cancel()
      throw error
    }
  }
  stream.end()
  presentIn(await status)
}

/** @param failure of the call, whenever it came */
async function* dataOf(
  parts: Grpc.ClientReadableStream<BlobPart>,
  failure: () => Error | undefined,
): AsyncIterable<Uint8Array> {
  for await (const part of parts as AsyncIterable<BlobPart>) {
    if (part.content?.case === 'error') throw rebuilt(part.content.value)
    if (part.content?.case === 'data') yield part.content.value
  }
  const error = failure()
  if (error !== undefined) throw error
}

function presentIn(status: BlobStatus): boolean {
  if (status.error !== '') throw rebuilt(status.error)
  return status.present
}

function rebuilt(json: string): Error {
  return deserializeError(JSON.parse(json) as SerializedError)
}

function isServiceError(error: unknown): error is Grpc.ServiceError {
  return error instanceof Error && 'details' in error && 'code' in error
}
