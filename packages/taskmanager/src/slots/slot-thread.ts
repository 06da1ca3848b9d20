import type { SlotCommand, SlotReport, SlotThreadData } from '../thread/slot-messages.ts'

/** A running slot thread, seen from the main thread. */
export interface SlotThread {
  post(command: SlotCommand): void
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
