import { type Duration, durationToMs } from '@flink-ts/common'
import { InvalidTimeToLive } from '../errors.ts'

/** What starts the time to live of a value anew. */
export type TtlUpdateType = 'disabled' | 'on-create-and-write' | 'on-read-and-write'
/** Whether a value that is over but not removed yet is still given out. */
export type TtlVisibility = 'never-return-expired' | 'return-expired-if-not-cleaned-up'
/** Which clock counts: that of the machine, or the watermark of the operator. */
export type TtlTime = 'processing-time' | 'event-time'

/** What {@link StateTtlConfig} takes. */
export interface StateTtlOptions {
  /** More than 0. */
  readonly ttl: Duration
  /** `on-create-and-write` if absent. */
  readonly updateType?: TtlUpdateType
  /** `never-return-expired` if absent. */
  readonly visibility?: TtlVisibility
  /** `processing-time` if absent. */
  readonly time?: TtlTime
  /** Leave values that are over out of snapshots; true if absent. */
  readonly cleanupFullSnapshot?: boolean
  /**
   * Look for values that are over among some others at each access of the state, or also whenever the key changes;
   * 5 at each access if absent, false: never.
   */
  readonly cleanupIncrementally?: { readonly entries: number; readonly everyRecord?: boolean } | false
}

/**
 * How long a value is kept after it was written (or read): it is metadata of a state, so that it can be switched on, off
 * or changed for state that exists. In lists and maps each element has its own time.
 * @example descriptor.enableTimeToLive(new StateTtlConfig({ ttl: '7 d', updateType: 'on-read-and-write' }))
 */
export class StateTtlConfig {
  readonly ttlMs: number
  readonly updateType: TtlUpdateType
  readonly visibility: TtlVisibility
  readonly time: TtlTime
  readonly cleanupFullSnapshot: boolean
  /** Entries looked at; 0: none. */
  readonly cleanupEntries: number
  readonly cleanupEveryRecord: boolean

  /** @throws state.invalid-time-to-live */
  constructor(options: StateTtlOptions) {
    const ttlMs = durationToMs(options.ttl)
    if (ttlMs === undefined || !Number.isSafeInteger(ttlMs) || ttlMs < 1) {
      throw InvalidTimeToLive({
        what: 'ttl',
        value: JSON.stringify(options.ttl) ?? String(options.ttl),
        expected: "a duration of at least a millisecond, such as '7 d'",
      })
    }
    this.ttlMs = ttlMs
    this.updateType = oneOf('updateType', options.updateType ?? 'on-create-and-write', UPDATE_TYPES)
    this.visibility = oneOf('visibility', options.visibility ?? 'never-return-expired', VISIBILITIES)
    this.time = oneOf('time', options.time ?? 'processing-time', TIMES)
    this.cleanupFullSnapshot = options.cleanupFullSnapshot ?? true
    const incremental = options.cleanupIncrementally ?? { entries: 5 }
    this.cleanupEntries = incremental === false ? 0 : incremental.entries
    if (!Number.isSafeInteger(this.cleanupEntries) || this.cleanupEntries < 0) {
      throw InvalidTimeToLive({
        what: 'cleanupIncrementally.entries',
        value: String(this.cleanupEntries),
        expected: 'a whole number from 0 on',
      })
    }
    this.cleanupEveryRecord = incremental !== false && incremental.everyRecord === true
  }

  /** Flink's builder. */
  static newBuilder(ttl: Duration): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ttl })
  }
}

/** Collects the options of a {@link StateTtlConfig}; each call gives a builder. */
export class StateTtlConfigBuilder {
  readonly #options: StateTtlOptions

  constructor(options: StateTtlOptions) {
    this.#options = options
  }

  setUpdateType(updateType: TtlUpdateType): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, updateType })
  }

  updateTtlOnCreateAndWrite(): StateTtlConfigBuilder {
    return this.setUpdateType('on-create-and-write')
  }

  updateTtlOnReadAndWrite(): StateTtlConfigBuilder {
    return this.setUpdateType('on-read-and-write')
  }

  setStateVisibility(visibility: TtlVisibility): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, visibility })
  }

  neverReturnExpired(): StateTtlConfigBuilder {
    return this.setStateVisibility('never-return-expired')
  }

  returnExpiredIfNotCleanedUp(): StateTtlConfigBuilder {
    return this.setStateVisibility('return-expired-if-not-cleaned-up')
  }

  useProcessingTime(): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, time: 'processing-time' })
  }

  useEventTime(): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, time: 'event-time' })
  }

  cleanupFullSnapshot(): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, cleanupFullSnapshot: true })
  }

  cleanupIncrementally(entries: number, everyRecord = false): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, cleanupIncrementally: { entries, everyRecord } })
  }

  disableCleanupInBackground(): StateTtlConfigBuilder {
    return new StateTtlConfigBuilder({ ...this.#options, cleanupIncrementally: false })
  }

  build(): StateTtlConfig {
    return new StateTtlConfig(this.#options)
  }
}

const UPDATE_TYPES: readonly TtlUpdateType[] = ['disabled', 'on-create-and-write', 'on-read-and-write']
const VISIBILITIES: readonly TtlVisibility[] = ['never-return-expired', 'return-expired-if-not-cleaned-up']
const TIMES: readonly TtlTime[] = ['processing-time', 'event-time']

function oneOf<T extends string>(what: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value
  throw InvalidTimeToLive({ what, value: String(value), expected: `one of ${known.join(', ')}` })
}
