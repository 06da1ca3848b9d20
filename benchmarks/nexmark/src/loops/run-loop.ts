import { OUT_OF_ORDERNESS_MS } from '../input/event-time.ts'
import { type Event, timeOf } from '../model/events.ts'
import type { Row } from '../queries/query.ts'
import type { LoopFactory } from './loop.ts'

/** All rows that a loop makes of a finite input, with a watermark after each event as in the golden runs. */
export function runLoop(
  factory: LoopFactory,
  events: readonly Event[],
  sideInput: ReadonlyMap<number, string>,
): readonly Row[] {
  const rows: Row[] = []
  const loop = factory(row => rows.push(row), sideInput)
  let latest = -Infinity
  for (const event of events) {
    loop.event(event)
    const time = timeOf(event)
    if (time <= latest) continue
    latest = time
    loop.advance?.(time - OUT_OF_ORDERNESS_MS)
  }
  loop.end?.()
  return rows
}
