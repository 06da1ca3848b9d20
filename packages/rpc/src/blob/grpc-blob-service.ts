import { once } from 'node:events'
import { serializeError } from '@flink-ts/common'
import type {
  Metadata,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from '@grpc/grpc-js'
import { BlobsNotServed } from '../errors.ts'
import type { BlobKey, BlobPart, BlobStatus } from '../gen/blob.ts'
import { checkAuthToken } from '../transport/auth.ts'
import type { BlobStore } from './blob-access.ts'
import { checkedBlobKey } from './blob-key.ts'

/**
 * Server side of proto/blob.proto over a store. Errors travel in the answers, as JSON.
 * @param authToken what each call must show; undefined: nothing
 */
export function blobHandlers(
  storeOf: () => BlobStore | undefined,
  addressOf: () => string,
  authToken: string | undefined,
) {
  const store = (call: { readonly metadata: Metadata }): BlobStore => {
    checkAuthToken(call.metadata, authToken, addressOf())
    const found = storeOf()
    if (found === undefined) throw BlobsNotServed({ address: addressOf() })
    return found
  }
  return {
    has(call: ServerUnaryCall<BlobKey, BlobStatus>, answer: sendUnaryData<BlobStatus>): void {
      const check = async (): Promise<boolean> => store(call).has(checkedBlobKey(call.request.key))
      // `reply` handles both outcomes.
      void reply(check, answer)
    },
    put(call: ServerReadableStream<BlobPart, BlobStatus>, answer: sendUnaryData<BlobStatus>): void {
      const receive = async (): Promise<boolean> => {
        const parts = call[Symbol.asyncIterator]() as AsyncIterator<BlobPart>
        const first = await parts.next()
        const header = first.done === true ? undefined : first.value.content
        const key = checkedBlobKey(header?.case === 'header' ? header.value.key : '')
        await store(call).put(key, dataOf(parts))
        return true
      }
      // `reply` handles both outcomes.
      void reply(receive, answer)
    },
    get(call: ServerWritableStream<BlobKey, BlobPart>): void {
      // `send` handles its failures.
      void send(call, () => store(call).read(checkedBlobKey(call.request.key)))
    },
  }
}

async function reply(ask: () => Promise<boolean>, answer: sendUnaryData<BlobStatus>): Promise<void> {
  try {
    answer(null, { present: await ask(), error: '' })
  } catch (error) {
    answer(null, { present: false, error: JSON.stringify(serializeError(error)) })
  }
}

async function* dataOf(parts: AsyncIterator<BlobPart>): AsyncIterable<Uint8Array> {
  for (;;) {
    const next = await parts.next()
    if (next.done === true) return
    if (next.value.content?.case === 'data') yield next.value.content.value
  }
}

async function send(
  call: ServerWritableStream<BlobKey, BlobPart>,
  read: () => AsyncIterable<Uint8Array>,
): Promise<void> {
  const gone = new AbortController()
  call.once('cancelled', () => gone.abort())
  call.once('close', () => gone.abort())
  try {
    for await (const part of read()) {
      if (gone.signal.aborted) return
      const room = call.write({ content: { case: 'data', value: part } })
      if (!room) await once(call, 'drain', { signal: gone.signal })
    }
  } catch (error) {
    if (!gone.signal.aborted)
      call.write({ content: { case: 'error', value: JSON.stringify(serializeError(error)) } })
  } finally {
    call.end()
  }
}
