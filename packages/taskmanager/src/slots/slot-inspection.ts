import type { Clock } from '@flink-ts/common'
import type { TapAnswer, TapRequest, TaskDeployment, TaskSelection } from '@flink-ts/gateways'
import type { SlotCommand, SlotReport } from '../thread/slot-messages.ts'
import type { SlotThread } from './slot-thread.ts'
import type { TaskProfileBuilder } from './task-profile.ts'

/** A thread that is in a long call answers later than this, or not at all. */
const MOST_PATIENCE_MS = 5000

type DeployedTask = Pick<TaskDeployment, 'attemptId' | 'vertexId' | 'subtaskIndex' | 'job'>

/** Looks into the thread of a slot for those who ask. Owner: the slot. */
export class SlotInspection {
  readonly #clock: Clock
  readonly #post: (command: SlotCommand) => void
  #tasks: readonly DeployedTask[] = []
  #running: { readonly thread: SlotThread; readonly moduleUrl: string } | undefined
  /** Profile under way: V8 makes one of a thread at a time. */
  #profile: { readonly durationMs: number; readonly text: Promise<string | undefined> } | undefined
  #taps = 0
  readonly #openTaps = new Map<number, (answers: readonly TapAnswer[]) => void>()

  constructor(dependencies: { readonly clock: Clock; readonly post: (command: SlotCommand) => void }) {
    this.#clock = dependencies.clock
    this.#post = dependencies.post
  }

  /** These tasks will run. */
  deployed(tasks: readonly TaskDeployment[]): void {
    this.#tasks = tasks.map(({ attemptId, vertexId, subtaskIndex, job }) => ({
      ...{ attemptId, vertexId, subtaskIndex, job },
    }))
  }

  running(thread: SlotThread | undefined, moduleUrl: string): void {
    this.#running = thread && { thread, moduleUrl }
  }

  /** The thread is gone. */
  stopped(): void {
    this.#running = undefined
    this.#profile = undefined
    for (const resolve of this.#openTaps.values()) resolve([])
    this.#openTaps.clear()
  }

  /** Adds what the thread does, if it has a task of the selection. Never rejects. */
  async profile(selection: TaskSelection, durationMs: number, into: TaskProfileBuilder): Promise<void> {
    const running = this.#running
    if (running === undefined || this.#selected(selection).length === 0) return
    const text = await this.#profileOf(running.thread, durationMs)
    if (text !== undefined) into.add(text, running.moduleUrl)
  }

  /** Never rejects. */
  async tap(selection: TaskSelection, request: TapRequest): Promise<readonly TapAnswer[]> {
    const attemptIds = this.#selected(selection).map(({ attemptId }) => attemptId)
    if (this.#running === undefined || attemptIds.length === 0) return []
    const tapId = this.#taps++
    const { promise, resolve } = Promise.withResolvers<readonly TapAnswer[]>()
    this.#openTaps.set(tapId, resolve)
    const limit = this.#clock.schedule(request.durationMs + MOST_PATIENCE_MS, () => resolve([]))
    this.#post({ type: 'tap', tapId, attemptIds, request })
    const answers = await promise
    limit.cancel()
    this.#openTaps.delete(tapId)
    return answers
  }

  tapped({ tapId, answers }: Extract<SlotReport, { type: 'tapped' }>): void {
    this.#openTaps.get(tapId)?.(answers)
  }

  #selected({ jobId, vertexId, subtaskIndex }: TaskSelection): readonly DeployedTask[] {
    return this.#tasks.filter(
      task =>
        task.job.jobId === jobId &&
        task.vertexId === vertexId &&
        (subtaskIndex ?? task.subtaskIndex) === task.subtaskIndex,
    )
  }

  /** Those who ask meanwhile get the one that is being made. */
  async #profileOf(thread: SlotThread, durationMs: number): Promise<string | undefined> {
    if (this.#profile === undefined) {
      // A thread that cannot be profiled now has no part in the answer: it is ending, or somebody else looks at it.
      const text = thread.profile(durationMs).catch(() => undefined)
      const profile = { durationMs, text }
      this.#profile = profile
      void text.then(() => {
        if (this.#profile === profile) this.#profile = undefined
      })
    }
    return await this.#profile.text
  }
}
