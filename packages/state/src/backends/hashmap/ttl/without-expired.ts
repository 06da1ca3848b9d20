import type { StateDescriptor } from '../../../api/state-descriptor.ts'
import type { Timed, TtlClock } from './ttl-clock.ts'

/** What is stored of an entry without what is over at `now`; undefined: nothing. Pieces of lists are always stored. */
export function withoutExpired(
  kind: StateDescriptor<unknown>['kind'],
  stored: unknown,
  clock: TtlClock,
  now: number,
): unknown {
  if (kind === 'map') return clock.isOver((stored as [unknown, Timed<unknown>])[1], now) ? undefined : stored
  if (kind !== 'list') return clock.isOver(stored as Timed<unknown>, now) ? undefined : stored
  const [index, elements] = stored as [number, Timed<unknown>[]]
  return [index, elements.filter(element => !clock.isOver(element, now))]
}
