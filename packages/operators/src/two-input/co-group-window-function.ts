import type { Collector } from '../functions/collector.ts'
import type { CoGroupFunction, FlatJoinFunction, JoinFunction } from '../functions/join-functions.ts'
import { lifecycleOnly } from '../functions/rich-function.ts'
import type { Window } from '../windowing/time-window.ts'
import type { WindowFunction } from '../windowing/window-functions.ts'

/** A record of one of two streams that share windows. */
export type TaggedUnion<A, B> =
  | { readonly side: 'left'; readonly value: A }
  | { readonly side: 'right'; readonly value: B }

/** The window function of a coGroup: the records of both streams, each in order of arrival. */
export function coGroupWindowFunction<K, A, B, R, W extends Window>(
  userFunction: CoGroupFunction<A, B, R>,
): WindowFunction<K, TaggedUnion<A, B>, R, W> {
  const call =
    typeof userFunction === 'function'
      ? userFunction
      : (left: readonly A[], right: readonly B[], out: Collector<R>) => userFunction.coGroup(left, right, out)
  return {
    ...lifecycleOnly(userFunction),
    apply: (_key, _window, elements, out) => {
      const { left, right } = sidesOf(elements)
      emitAll(call(left, right, out), out)
    },
  }
}

/** The window function of a join: each pair of records, the left ones in the outer loop. */
export function joinWindowFunction<K, A, B, R, W extends Window>(
  userFunction: JoinFunction<A, B, R> | FlatJoinFunction<A, B, R>,
): WindowFunction<K, TaggedUnion<A, B>, R, W> {
  const joinPair = pairFunction(userFunction)
  return {
    ...lifecycleOnly(userFunction),
    apply: (_key, _window, elements, out) => {
      const { left, right } = sidesOf(elements)
      for (const l of left) for (const r of right) joinPair(l, r, out)
    },
  }
}

function pairFunction<A, B, R>(
  userFunction: JoinFunction<A, B, R> | FlatJoinFunction<A, B, R>,
): (left: A, right: B, out: Collector<R>) => void {
  if (typeof userFunction === 'function') return (left, right, out) => out(userFunction(left, right))
  if ('flatJoin' in userFunction) {
    return (left, right, out) => emitAll(userFunction.flatJoin(left, right, out), out)
  }
  return (left, right, out) => out(userFunction.join(left, right))
}

function sidesOf<A, B>(elements: readonly TaggedUnion<A, B>[]): { left: A[]; right: B[] } {
  const left: A[] = []
  const right: B[] = []
  for (const element of elements) {
    if (element.side === 'left') left.push(element.value)
    else right.push(element.value)
  }
  return { left, right }
}

// biome-ignore lint/suspicious/noConfusingVoidType: functions that only call `out` return nothing
function emitAll<R>(results: Iterable<R> | void, out: Collector<R>): void {
  if (results !== undefined) for (const result of results) out(result)
}
