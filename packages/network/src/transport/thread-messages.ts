import type { SerializedError } from '@flink-ts/common'
import type { ChannelEnds } from '../channel/channel.ts'
import type { Heartbeat } from './liveness.ts'

/** What the network thread is started with. */
export interface NetworkThreadData {
  readonly bell: SharedArrayBuffer
  readonly bindHost: string
  readonly port: number
  readonly openTimeoutMs: number
  readonly heartbeat: Heartbeat
  readonly authToken: string | undefined
}

/** From the main thread to the network thread. */
export type NetworkCommand =
  | { readonly type: 'open-outbound'; readonly ends: ChannelEnds }
  | { readonly type: 'open-inbound'; readonly ends: ChannelEnds; readonly remoteAddress: string }
  | { readonly type: 'release'; readonly channelIds: readonly string[]; readonly drain: boolean }
  | { readonly type: 'close' }

/** From the network thread to the main thread. */
export type NetworkReport =
  | { readonly type: 'started'; readonly port: number }
  | { readonly type: 'start-failed'; readonly error: SerializedError }
  | { readonly type: 'channel-failed'; readonly channelId: string; readonly error: SerializedError }
  | { readonly type: 'closed' }
