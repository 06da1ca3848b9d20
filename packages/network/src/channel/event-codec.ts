import type { ChannelEvent } from './channel.ts'

/** Events are rare and small: JSON. Watermarks are safe integers, so they are exact. */
export function encodeEvent(event: ChannelEvent): Buffer {
  return Buffer.from(JSON.stringify(event))
}

export function decodeEvent(source: Buffer, offset: number, lengthBytes: number): ChannelEvent {
  return JSON.parse(source.toString('utf8', offset, offset + lengthBytes)) as ChannelEvent
}
