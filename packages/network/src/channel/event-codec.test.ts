import { expect, test } from 'vitest'
import type { ChannelEvent } from './channel.ts'
import { decodeEvent, encodeEvent } from './event-codec.ts'

const events: readonly ChannelEvent[] = [
  ...[0, -1, Date.UTC(2026, 1, 1), Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER].map(
    (watermark): ChannelEvent => ({ type: 'watermark', watermark }),
  ),
  { type: 'idle' },
  { type: 'active' },
  { type: 'barrier', checkpointId: 1, timestamp: 2, savepoint: false },
  { type: 'cancel-barrier', checkpointId: 1 },
]

test.each(events)('$type comes back as it was', event => {
  const bytes = Buffer.concat([Buffer.from('before'), encodeEvent(event), Buffer.from('after')])
  expect(decodeEvent(bytes, 6, bytes.length - 11)).toEqual(event)
})
