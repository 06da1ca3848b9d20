import { Deferred, deserializeError, type JobId, type Logger, newId, type Random } from '@flink-ts/common'
import type { SavepointRequestOptions } from '@flink-ts/gateways'
import type { SavepointStorage } from '@flink-ts/state'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import type { SavepointAnswer } from '../checkpoint/savepoint-requests.ts'
import { SavepointDirectoryMissing, SnapshotOfBatch } from '../errors.ts'

/** What {@link SavepointCalls} needs. */
export interface SavepointCallsPort {
  readonly storage: SavepointStorage
  readonly random: Random
  readonly logger: Logger
  coordinate(event: CoordinatorEvent): void
}

interface SavepointCallsOptions {
  readonly jobId: JobId
  /** Empty: there is none. */
  readonly defaultDirectory: string
  /** In BATCH mode there is nothing to go on from. */
  readonly isBatch?: boolean
}

/** Calls of users who want a savepoint of one job, and wait for it. Owner: JobMaster main thread. */
export class SavepointCalls {
  readonly #options: SavepointCallsOptions
  readonly #port: SavepointCallsPort
  readonly #open = new Map<string, Deferred<string>>()

  constructor(options: SavepointCallsOptions, port: SavepointCallsPort) {
    this.#options = options
    this.#port = port
  }

  /**
   * Resolves with the URI of the savepoint; with `stop`, when the job has ended. Rejects with
   * `jobmanager.savepoint-failed`, `jobmanager.stop-failed`, `jobmanager.savepoint-directory-missing`,
   * `state.savepoint-directory-unusable`, `jobmanager.snapshot-of-batch`.
   */
  async trigger({ directory, stop }: SavepointRequestOptions): Promise<string> {
    const { jobId, defaultDirectory } = this.#options
    this.#requireStream()
    const { storage, logger, coordinate } = this.#port
    const target = directory ?? defaultDirectory
    if (target === '') throw SavepointDirectoryMissing({ jobId })
    const folder = await storage.newFolder(target, jobId)
    return this.#ask(requestId => {
      logger.info({ requestId, folder, stop }, 'Savepoint requested')
      coordinate({ type: 'savepoint-requested', requestId, folder, stop })
    })
  }

  /** Takes a checkpoint now, as a periodic one. Resolves with its id. Rejects with `jobmanager.savepoint-failed`. */
  async triggerCheckpoint(): Promise<string> {
    this.#requireStream()
    return await this.#ask(requestId => this.#port.coordinate({ type: 'checkpoint-requested', requestId }))
  }

  #requireStream(): void {
    const { jobId, isBatch = false } = this.#options
    if (isBatch) throw SnapshotOfBatch({ jobId })
  }

  #ask(request: (requestId: string) => void): Promise<string> {
    const requestId = newId<string>(this.#port.random)
    const answer = new Deferred<string>()
    this.#open.set(requestId, answer)
    request(requestId)
    return answer.promise
  }

  answered(answer: SavepointAnswer): void {
    const open = this.#open.get(answer.requestId)
    this.#open.delete(answer.requestId)
    if (answer.type === 'savepoint-completed') {
      this.#port.logger.info({ requestId: answer.requestId, pointer: answer.pointer }, 'Savepoint complete')
      open?.resolve(answer.pointer)
    } else if (answer.type === 'checkpoint-completed') {
      open?.resolve(String(answer.checkpointId))
    } else {
      this.#port.logger.warn({ requestId: answer.requestId, error: answer.error }, 'No snapshot was taken')
      open?.reject(deserializeError(answer.error))
    }
  }
}
