import { createValueSerializer } from '@flink-ts/serialization'

/** From a reader to the enumerator. */
export type ReaderEvent =
  | { readonly type: 'register' }
  | { readonly type: 'request' }
  | { readonly type: 'watermark'; readonly watermark: number }
  | { readonly type: 'custom'; readonly event: unknown }

/** From the enumerator to a reader. */
export type EnumeratorEvent<S> =
  | { readonly type: 'splits'; readonly splits: readonly S[] }
  | { readonly type: 'no-more-splits' }
  | { readonly type: 'alignment'; readonly limit: number }
  | { readonly type: 'custom'; readonly event: unknown }

/** Events and states as bytes. One owner: it reuses its buffers. */
export interface SourceCodec<S> {
  encode(value: ReaderEvent | EnumeratorEvent<S>): Uint8Array
  encodeState(state: unknown): Uint8Array
  decode<V extends ReaderEvent | EnumeratorEvent<S>>(bytes: Uint8Array): V
  decodeState(bytes: Uint8Array): unknown
}

/** Both ends run the same version; the state has a version of its own. */
const STATE_VERSION = 1

export function createSourceCodec<S>(): SourceCodec<S> {
  const serializer = createValueSerializer()
  return {
    encode: value => serializer.encode(value),
    decode: <V>(bytes: Uint8Array) => serializer.decode(bytes) as V,
    encodeState: state => serializer.encode({ version: STATE_VERSION, state }),
    decodeState: bytes => (serializer.decode(bytes) as { readonly state: unknown }).state,
  }
}
