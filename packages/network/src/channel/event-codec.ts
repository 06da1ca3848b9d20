import type { ChannelEvent } from './channel.ts'

const WATERMARK_BYTES = 8

/** Watermarks may come after each record: their number alone. Other events are rare and small: JSON, which is longer. */
export function encodeEvent(event: ChannelEvent): Buffer {
  if (event.type !== 'watermark') return Buffer.from(JSON.stringify(event))
  const bytes = Buffer.allocUnsafe(WATERMARK_BYTES)
  bytes.writeDoubleLE(event.watermark, 0)
  return bytes
}

export function decodeEvent(source: Buffer, offset: number, lengthBytes: number): ChannelEvent {
  if (lengthBytes === WATERMARK_BYTES) return { type: 'watermark', watermark: source.readDoubleLE(offset) }
  return JSON.parse(source.toString('utf8', offset, offset + lengthBytes)) as ChannelEvent
}
