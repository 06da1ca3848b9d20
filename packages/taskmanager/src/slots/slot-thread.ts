import type { SlotCommand, SlotReport, SlotThreadData } from '../thread/slot-messages.ts'

/** A running slot thread, seen from the main thread. */
export interface SlotThread {
  post(command: SlotCommand): void
  /** Heap and buffers in use, garbage not yet found included; undefined if the thread is not up (any more). */
  usedMemoryBytes(): Promise<number | undefined>
  /** What the thread does for so long, as JSON of V8's profiler; undefined if it is not up (any more). */
  profile(durationMs: number): Promise<string | undefined>
  /** Ends the thread wherever it is; resolves when it is gone. Idempotent. */
  terminate(): Promise<void>
}

export interface SlotThreadListener {
  report(report: SlotReport): void
  /** The thread is gone. Called once, after its last report, terminated or not. */
  ended(exitCode: number, error: unknown): void
}

/** Starts slot threads: workers, or something in their place. */
export interface SlotThreadFactory {
  start(data: SlotThreadData, listener: SlotThreadListener): SlotThread
}
