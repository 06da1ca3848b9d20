import { GlobalWindow, globalWindowSerializer } from '../time-window.ts'
import { NeverTrigger } from '../triggers/never-trigger.ts'
import type { Trigger } from '../triggers/trigger.ts'
import type { WindowAssigner } from './window-assigner.ts'

/**
 * All records of a key in one window that never ends: what it emits and when, its trigger says; without one, nothing.
 * @example stream.keyBy(e => e.user).window(GlobalWindows.create()).trigger(CountTrigger.of(100))
 */
export class GlobalWindows implements WindowAssigner<unknown, GlobalWindow> {
  readonly isEventTime = false
  readonly windowSerializer = globalWindowSerializer
  readonly #windows = [GlobalWindow.get()]

  static create(): GlobalWindows {
    return new GlobalWindows()
  }

  assignWindows(): readonly GlobalWindow[] {
    return this.#windows
  }

  getDefaultTrigger(): Trigger<unknown, GlobalWindow> {
    return NeverTrigger.create()
  }
}
