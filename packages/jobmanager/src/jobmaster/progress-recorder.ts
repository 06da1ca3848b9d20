import { type Clock, Deferred, type Logger } from '@flink-ts/common'
import {
  type JobProgress,
  type JobRecorder,
  LeadershipLost,
  type RecordedFolder,
} from '@flink-ts/highavailability'
import type { DiscardAction } from '../checkpoint/aborted-folders.ts'
import type { StoredCheckpoint } from '../checkpoint/checkpoint-coordinator.ts'
import type { RecoveredCheckpoints } from '../checkpoint/coordinator-state.ts'
import type { RecordedEnd } from './recorded-end.ts'
import { recordedFolder, recordedProgress } from './recorded-progress.ts'

/**
 * Ids of checkpoints that may be used without a record of it. A later leader begins behind them, so that whatever this
 * process still does to the folders of checkpoints that were under way, it meets none of the other's.
 */
const RESERVED_IDS = 20
const RETRY_DELAY_MS = 1000
/** Folders that could not be removed and are tried again by a later leader, at most; the oldest are given up. */
const MAX_TO_GO = 1000

export interface ProgressRecorderDependencies {
  readonly recorder: JobRecorder
  /** Of the job, under its first leader; milliseconds since the epoch. */
  readonly startedAt: number
  /** What is complete now, or would be with one more. */
  readonly content: (stored?: StoredCheckpoint) => Omit<RecoveredCheckpoints, 'nextId'>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Keeps record of how far a job has come, so that it outlives this process. A checkpoint counts when it is recorded;
 * no folder goes that the record may still refer to; nothing of the job is removed before its end is recorded. One write
 * at a time, each of what holds when it begins. Owner: JobMaster main thread.
 */
export class ProgressRecorder {
  readonly #deps: ProgressRecorderDependencies
  /** Never rejects. */
  #writing: Promise<void> = Promise.resolve()
  /** What the record on storage may refer to. */
  #listed: ReadonlySet<number> = new Set()
  /** Folders that nothing refers to any more and that are not removed yet, by what names them: later leaders go on. */
  readonly #toGo = new Map<string, DiscardAction>()
  #idsFrom = 0
  #idsBelow = 0
  /** The latest checkpoint that was recorded: its coordinator may not have heard of that yet. */
  #recorded: StoredCheckpoint | undefined
  #end: Promise<boolean> | undefined
  readonly #stopped = new Deferred<void>()

  constructor(dependencies: ProgressRecorderDependencies) {
    this.#deps = dependencies
  }

  /** Takes the job over, before anything of it runs. */
  begin(nextId: number): Promise<void> {
    this.#idsFrom = nextId
    return this.#write(undefined, nextId + RESERVED_IDS)
  }

  /** Before anything of a checkpoint is stored. */
  async reserve(checkpointId: number): Promise<void> {
    if (checkpointId >= this.#idsBelow) await this.#write(undefined, checkpointId + RESERVED_IDS)
  }

  /** Makes a checkpoint count whose metadata is durable. */
  async stored(stored: StoredCheckpoint): Promise<void> {
    await this.#write(stored, Math.max(this.#idsBelow, stored.checkpointId + RESERVED_IDS))
  }

  /** A folder is to go: said in each record until it is {@link ProgressRecorder.gone}. */
  toGo(folder: DiscardAction): void {
    this.#toGo.set(nameOf(folder), folder)
    const [oldest] = this.#toGo.keys()
    if (this.#toGo.size > MAX_TO_GO && oldest !== undefined) this.#toGo.delete(oldest)
  }

  /** It is removed. A record that still names it does no harm. */
  gone(folder: DiscardAction): void {
    this.#toGo.delete(nameOf(folder))
  }

  /** Resolves when a folder may go; rejects if it must stay. */
  async release(checkpointId: number): Promise<void> {
    if (this.#end !== undefined) {
      if (!(await this.#end)) throw LeadershipLost({ epoch: 0, reason: 'the end of the job is not recorded' })
      return
    }
    await this.reserve(checkpointId)
    // It was given up after it was recorded.
    if (this.#listed.has(checkpointId)) await this.#write(undefined, this.#idsBelow)
  }

  /**
   * Records that the job is over. Tries until it succeeds: true. False: another leader has begun, or this process ends;
   * then nothing of the job may be removed, and nobody told how it ended. Never rejects.
   */
  over(describe: () => RecordedEnd): Promise<boolean> {
    this.#end ??= this.#recordEnd(describe())
    return this.#end
  }

  /** Everything of an ended job is removed. Never rejects. */
  async cleaned(end: RecordedEnd): Promise<void> {
    try {
      await this.#deps.recorder.over(end.outcome, end.endedAt, undefined, end.blobKeys)
    } catch (error) {
      this.#deps.logger.info({ error }, 'The next leader looks again whether everything is removed')
    }
  }

  /** Tries no more. */
  stop(): void {
    this.#stopped.resolve()
  }

  async #recordEnd({ outcome, endedAt, leftovers: own, blobKeys }: RecordedEnd): Promise<boolean> {
    const { recorder, logger, clock } = this.#deps
    await this.#writing
    const leftovers = own && { ...own, folders: this.#withToGo(own.folders) }
    for (let attempt = 1; !this.#stopped.settled; attempt++) {
      try {
        await recorder.over(outcome, endedAt, leftovers, blobKeys)
        return true
      } catch (error) {
        if (LeadershipLost.is(error)) {
          logger.warn({ error }, 'The end of the job does not count')
          return false
        }
        logger.warn(
          { error, attempt, nextInMs: RETRY_DELAY_MS },
          'The end of the job is not recorded, will be repeated',
        )
        const pause = new Deferred<void>()
        const timer = clock.schedule(RETRY_DELAY_MS, () => pause.resolve())
        await Promise.race([pause.promise, this.#stopped.promise])
        timer.cancel()
      }
    }
    return false
  }

  /** With those that are still to go from before. */
  #withToGo(folders: readonly RecordedFolder[]): readonly RecordedFolder[] {
    const named = new Set(folders.map(nameOf))
    const before = [...this.#toGo.values()].filter(folder => !named.has(nameOf(folder)))
    return [...folders, ...before.map(recordedFolder)]
  }

  #write(stored: StoredCheckpoint | undefined, idsBelow: number): Promise<void> {
    const work = this.#writing.then(async () => {
      // What comes now came too late: the record of the end stays.
      if (this.#end !== undefined) return
      const progress = recordedProgress(this.#deps.content(stored ?? this.#recorded), {
        startedAt: this.#deps.startedAt,
        idsFrom: this.#idsFrom,
        idsBelow: Math.max(idsBelow, this.#idsBelow),
      })
      const ids = idsIn(progress)
      // It may be there even if the write fails.
      this.#listed = new Set([...this.#listed, ...ids])
      await this.#deps.recorder.progress({ ...progress, discarded: this.#withToGo(progress.discarded) })
      this.#listed = ids
      this.#idsBelow = progress.idsBelow
      this.#recorded = stored ?? this.#recorded
    })
    this.#writing = work.catch(() => {}) // Its caller handles it.
    return work
  }
}

const nameOf = ({ checkpointId, savepoint }: RecordedFolder): string => savepoint ?? String(checkpointId)

function idsIn({ checkpoints, referred, claimed }: JobProgress): ReadonlySet<number> {
  return new Set([
    ...checkpoints.map(({ id }) => id),
    ...referred,
    ...(claimed === undefined ? [] : [claimed.checkpointId]),
  ])
}
