import type { FileStatus } from '@flink-ts/filesystem'
import type { SplitEnumerator, SplitEnumeratorContext } from '@flink-ts/operators'
import { FilesSeenUnknown, ListingFailed } from '../errors.ts'
import type { OrderedSplit } from './block-reader.ts'
import { listInputFiles } from './list-input-files.ts'

/** Listings that may fail one after the other while new files are looked for. */
const LISTING_TRIES = 5
/** Before the second try; twice as long before each one after it. */
const FIRST_PAUSE_MS = 1000

/** Finds the splits of one file, in order. */
type SplitsOfFile<S extends OrderedSplit> = (file: FileStatus) => Promise<readonly Omit<S, 'index'>[]>

/** What a {@link FileSplitEnumerator} knows. In checkpoints. */
export interface FileEnumeratorState<S extends OrderedSplit> {
  /** Splits that no reader has, in order. */
  readonly pending: readonly S[]
  readonly nextIndex: number
  /** URIs of the files whose splits were found. */
  readonly seen: readonly string[]
  /** All files were found, and no others were looked for. */
  readonly complete: boolean
}

export interface FileSplitEnumeratorOptions<S extends OrderedSplit> {
  /** Files or folders. */
  readonly uris: readonly string[]
  readonly splitsOf: SplitsOfFile<S>
  /** Looks for new files this often; undefined: once. */
  readonly discoveryIntervalMs: number | undefined
}

/**
 * Lists files and hands out their splits one by one, in order, to whichever reader asks: fast readers get more. A file
 * counts as soon as it is there, and its content must not change from then on. Owner: the job's thread in the job host.
 */
export class FileSplitEnumerator<S extends OrderedSplit>
  implements SplitEnumerator<S, FileEnumeratorState<S>>
{
  readonly #options: FileSplitEnumeratorOptions<S>
  readonly #context: SplitEnumeratorContext<S>
  readonly #seen: Set<string>
  /** Readers that wait for a split, in the order in which they asked. */
  readonly #asking = new Set<number>()
  #pending: S[]
  #nextIndex: number
  #complete: boolean
  /** Listings that have failed since the last one that did not. */
  #failedListings = 0
  /** Whether any was done: before, a failure is a mistake of the program rather than a passing one. */
  #listed: boolean

  /** @throws connectors.files-seen-unknown */
  constructor(
    options: FileSplitEnumeratorOptions<S>,
    context: SplitEnumeratorContext<S>,
    restored: FileEnumeratorState<S> | undefined,
  ) {
    this.#options = options
    this.#context = context
    this.#pending = [...(restored?.pending ?? [])]
    this.#nextIndex = restored?.nextIndex ?? 0
    this.#seen = new Set(restored?.seen)
    const continuous = options.discoveryIntervalMs !== undefined
    const complete = restored?.complete === true
    // A source that is continuous from now on goes on looking where one that looked once was done.
    this.#complete = complete && !continuous
    this.#listed = restored !== undefined
    if (complete && continuous && restored.seen.length === 0 && restored.nextIndex > 0) {
      throw FilesSeenUnknown({ paths: options.uris })
    }
  }

  start(): void {
    if (!this.#complete) this.#look(0)
  }

  handleSplitRequest(subtaskIndex: number): void {
    this.#asking.add(subtaskIndex)
    this.#serve()
  }

  addReader(): void {
    // It asks when it has nothing to read.
  }

  addSplitsBack(splits: readonly S[]): void {
    this.#pending = [...this.#pending, ...splits].sort((a, b) => a.index - b.index)
    this.#serve()
  }

  snapshotState(): FileEnumeratorState<S> {
    // Also when all is found: the job may be continuous when it is restored.
    const seen = [...this.#seen]
    return { pending: this.#pending, nextIndex: this.#nextIndex, seen, complete: this.#complete }
  }

  #look(delayMs: number): void {
    const { uris, discoveryIntervalMs } = this.#options
    this.#context.callAsync(
      () => listInputFiles(uris),
      files => {
        this.#failedListings = 0
        this.#listed = true
        const found = files.filter(({ uri }) => !this.#seen.has(uri))
        if (discoveryIntervalMs !== undefined && found.length > 0)
          this.#context.logger.info({ files: found.length, known: this.#seen.size }, 'New files')
        this.#splitNext(found, 0)
      },
      { initialDelayMs: delayMs, onError: error => this.#notListed(error) },
    )
  }

  /** Looks again after a pause if new files are looked for anyway: a storage that is away for a moment costs no restart. */
  #notListed(error: unknown): void {
    const { uris, discoveryIntervalMs } = this.#options
    if (discoveryIntervalMs === undefined || !this.#listed) throw error
    this.#failedListings++
    const attempt = this.#failedListings
    if (attempt >= LISTING_TRIES) throw ListingFailed({ paths: uris, attempts: attempt }, error)
    const retryInMs = Math.max(discoveryIntervalMs, FIRST_PAUSE_MS * 2 ** (attempt - 1))
    const tries = { attempt, attempts: LISTING_TRIES, retryInMs }
    this.#context.logger.warn({ paths: uris, ...tries, error }, 'Looking for new files failed; trying again')
    this.#look(retryInMs)
  }

  /** File by file, so that readers start before all of them are known. */
  #splitNext(files: readonly FileStatus[], at: number): void {
    const file = files[at]
    if (file === undefined) {
      const { discoveryIntervalMs } = this.#options
      if (discoveryIntervalMs === undefined) this.#complete = true
      else this.#look(discoveryIntervalMs)
      this.#serve()
      return
    }
    this.#context.callAsync(
      () => this.#options.splitsOf(file),
      splits => {
        for (const split of splits) this.#pending.push({ ...split, index: this.#nextIndex++ } as S)
        this.#seen.add(file.uri)
        this.#serve()
        this.#splitNext(files, at + 1)
      },
    )
  }

  #serve(): void {
    const registered = new Set(this.#context.registeredReaders())
    for (const subtaskIndex of this.#asking) {
      if (!registered.has(subtaskIndex)) {
        // It failed; it asks again.
        this.#asking.delete(subtaskIndex)
        continue
      }
      const split = this.#pending.shift()
      if (split !== undefined) this.#context.assignSplit(split, subtaskIndex)
      else if (this.#complete) this.#context.signalNoMoreSplits(subtaskIndex)
      else return
      this.#asking.delete(subtaskIndex)
    }
  }
}
