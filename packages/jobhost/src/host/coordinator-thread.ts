import type { ThreadCommand, ThreadReport } from '../coordinators/thread-messages.ts'

/** A running coordinator thread, seen from the main thread. */
export interface CoordinatorThread {
  post(command: ThreadCommand): void
  /** Ends the thread wherever it is; resolves when it is gone. Idempotent. */
  terminate(): Promise<void>
}

/** Starts coordinator threads: workers, or something in their place. */
export interface CoordinatorThreadFactory {
  /** Has a thread ready for the next start, if there is none. */
  prepare(): void
  start(listener: {
    report(report: ThreadReport): void
    /** The thread is gone. Called once, after its last report, terminated or not. */
    ended(exitCode: number, error: unknown): void
  }): CoordinatorThread
  /** Ends the thread that is ready; started ones are ended one by one before. */
  close(): Promise<void>
}
