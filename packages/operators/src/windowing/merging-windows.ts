import type { EventTimeSessionWindows } from './assigners/session-windows.ts'
import type { MergingWindowAssigner } from './assigners/window-assigner.ts'
import { TimeWindow } from './time-window.ts'

/** A window of one key, as it is stored. Not empty while `value` is not undefined. */
export interface MergingWindow {
  readonly start: number
  readonly end: number
  /** Its contents. */
  value: unknown
  /** Of those that fire at their end: when it is to be looked at. */
  timer?: number | undefined
}

/** Windows that become one. */
export interface Merge {
  /** Those that were there; at least one. */
  readonly merged: readonly MergingWindow[]
  readonly result: TimeWindow
  /** Whether the new window is among them. */
  readonly withNew: boolean
}

type FindMerges = (windows: readonly MergingWindow[], added: TimeWindow) => readonly Merge[]

/** Says what is to be merged when a window comes to those of a key. */
export function mergesOf<T>(assigner: MergingWindowAssigner<T>): FindMerges {
  const { isBuiltIn } = assigner as Partial<EventTimeSessionWindows>
  return isBuiltIn === true ? mergesOfSessions : mergesByAssigner(assigner)
}

/** Sessions neither overlap nor touch each other, so that what merges does so with the new one. */
const mergesOfSessions: FindMerges = (windows, added) => {
  let merged: MergingWindow[] | undefined
  let { start, end } = added
  for (const window of windows) {
    if (window.start > added.end || window.end < added.start) continue
    if (merged === undefined) merged = [window]
    else merged.push(window)
    if (window.start < start) start = window.start
    if (window.end > end) end = window.end
  }
  return merged === undefined ? [] : [{ merged, result: new TimeWindow(start, end), withNew: true }]
}

function mergesByAssigner<T>(assigner: MergingWindowAssigner<T>): FindMerges {
  return (windows, added) => {
    const merges: Merge[] = []
    const byWindow = new Map(windows.map(window => [new TimeWindow(window.start, window.end), window]))
    assigner.mergeWindows([...byWindow.keys(), added], (all, result) => {
      const merged = all.flatMap(window => byWindow.get(window) ?? [])
      if (merged.length > 0) merges.push({ merged, result, withNew: all.includes(added) })
    })
    return merges
  }
}
