import type { Random } from '@flink-ts/common'
import type {
  CheckpointMetadata,
  CheckpointStorage,
  FoundSnapshot,
  SavepointStorage,
  StateLocation,
} from '@flink-ts/state'
import type { ProcessClock, VirtualTime } from './virtual-time.ts'

/** What JobMasters use of checkpoint storage. */
type CheckpointPort = Pick<
  CheckpointStorage,
  'prepare' | 'complete' | 'readMetadata' | 'retire' | 'discard' | 'discardJob'
>
type SavepointPort = Pick<
  SavepointStorage,
  'newFolder' | 'complete' | 'discard' | 'dispose' | 'readMetadata' | 'findLatest'
>

interface StorageDependencies {
  readonly time: VirtualTime
  readonly random: Random
  readonly note: (fields: Readonly<Record<string, unknown>>, message: string) => void
}

/**
 * Durable storage behind a network: every operation takes time, takes effect at one moment, and may fail before or
 * after that moment. What a process asked for takes effect although the process ends meanwhile; its answer is lost.
 */
export class SimulatedStorage {
  /** Added to the time of each operation. */
  slowMs = 0
  /** Part of the operations that fail. */
  failing = 0
  readonly #files = new Map<string, string>()
  readonly #metadata = new Map<string, CheckpointMetadata>()
  readonly #deps: StorageDependencies
  /** By job and checkpoint. */
  readonly #problems = new Map<string, string>()
  #folders = 0

  constructor(dependencies: StorageDependencies) {
    this.#deps = dependencies
  }

  /** Files and metadata below a folder. */
  below(folder: string): readonly string[] {
    const prefix = `${folder}/`
    return [
      ...this.#files.keys(),
      ...[...this.#metadata.keys()].map(pointer => `${pointer}/_metadata`),
    ].filter(path => path.startsWith(prefix))
  }

  /** What `latest` would find. */
  latestSnapshot(jobName: string): FoundSnapshot | undefined {
    return this.#latest(jobName)
  }

  /**
   * What is wrong with a complete snapshot; undefined: nothing. One that was given up while its metadata was on its way
   * may name files that are gone.
   */
  problemOf(jobId: string, checkpointId: number): string | undefined {
    return this.#problems.get(`${jobId}/${checkpointId}`)
  }

  /** Storage of one job, as the JobManager `clock` uses it. */
  checkpoints(clock: ProcessClock, directory: string, jobId: string): CheckpointPort {
    const job = `${directory}/${jobId}`
    return {
      prepare: () => this.operate(clock, () => {}),
      complete: metadata => {
        const pointer = `${job}/chk-${metadata.checkpointId}`
        return this.operate(clock, () => {
          if (this.#metadata.has(pointer)) throw new Error(`${pointer} is complete already`)
          this.#check(metadata)
          this.#metadata.set(pointer, metadata)
          this.#deps.note({ pointer }, 'metadata written')
          return pointer
        })
      },
      readMetadata: pointer => this.operate(clock, () => this.#read(pointer)),
      retire: id =>
        this.operate(clock, () => {
          this.#metadata.delete(`${job}/chk-${id}`)
        }),
      discard: id => this.operate(clock, () => this.#remove(`${job}/chk-${id}`)),
      discardJob: () => this.operate(clock, () => this.#removeJob(job)),
    }
  }

  savepoints(clock: ProcessClock): SavepointPort {
    const readMetadata = (pointer: string): Promise<CheckpointMetadata> =>
      this.operate(clock, () => this.#read(pointer))
    return {
      newFolder: directory => this.operate(clock, () => `${directory}/savepoint-${++this.#folders}`),
      complete: (folder, metadata) =>
        this.operate(clock, (): FoundSnapshot => {
          this.#check(metadata)
          const own = this.#copy(folder, metadata)
          this.#metadata.set(folder, own)
          this.#deps.note({ pointer: folder }, 'metadata written')
          return { pointer: folder, metadata: own }
        }),
      discard: folder => this.operate(clock, () => this.#remove(folder)),
      dispose: folder => this.operate(clock, () => this.#remove(folder)),
      readMetadata,
      findLatest: (_, jobName) => this.operate(clock, () => this.#latest(jobName)),
    }
  }

  /**
   * Writes a state file for a task. @param stillWanted asked at the moment of effect: a thread that has ended writes
   * nothing more
   */
  write(
    clock: ProcessClock,
    path: string,
    content: string,
    stillWanted: () => boolean,
  ): Promise<StateLocation> {
    return this.operate(clock, () => {
      if (stillWanted()) this.#files.set(path, content)
      return { type: 'file', path, sizeBytes: content.length } as const
    })
  }

  /** Reads a state file for a task; undefined: it is not there. */
  read(clock: ProcessClock, location: StateLocation): Promise<string | undefined> {
    if (location.type === 'inline') return Promise.resolve(location.base64)
    return this.operate(clock, () => this.#files.get(location.path))
  }

  /** Has something happen in the storage; its answer comes back to the process. */
  operate<T>(clock: ProcessClock, effect: () => T): Promise<T> {
    const { random, time } = this.#deps
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const answer = (settle: () => void): void => clock.arrive(random.next() * 5, settle)
    const failing = random.next() < this.failing
    const afterEffect = random.next() < 0.3
    time.after(1 + random.next() * 12 + random.next() * this.slowMs, () => {
      if (failing && !afterEffect) {
        answer(() => reject(new Error('the storage does not answer')))
        return
      }
      try {
        const value = effect()
        answer(() => (failing ? reject(new Error('the answer of the storage was lost')) : resolve(value)))
      } catch (error) {
        answer(() => reject(error))
      }
    })
    return promise
  }

  #read(pointer: string): CheckpointMetadata {
    const metadata = this.#metadata.get(pointer)
    if (metadata === undefined) throw new Error(`there is no snapshot at ${pointer}`)
    return metadata
  }

  #latest(jobName: string): FoundSnapshot | undefined {
    let latest: FoundSnapshot | undefined
    for (const [pointer, metadata] of this.#metadata) {
      if (metadata.jobName !== jobName) continue
      const other = latest?.metadata
      const isNewer =
        other === undefined ||
        metadata.timestamp > other.timestamp ||
        (metadata.timestamp === other.timestamp && metadata.checkpointId > other.checkpointId)
      if (isNewer) latest = { pointer, metadata }
    }
    return latest
  }

  #remove(folder: string): void {
    this.#metadata.delete(folder)
    for (const path of this.#files.keys()) if (path.startsWith(`${folder}/`)) this.#files.delete(path)
    this.#deps.note({ folder }, 'folder removed')
  }

  /** As `FileCheckpointStorage`: complete checkpoints stay. */
  #removeJob(job: string): void {
    const complete = [...this.#metadata.keys()].filter(pointer => pointer.startsWith(`${job}/`))
    const needed = new Set(complete.flatMap(pointer => filesOf(this.#read(pointer))))
    for (const path of this.#files.keys()) {
      if (
        path.startsWith(`${job}/`) &&
        !complete.some(pointer => path.startsWith(`${pointer}/`)) &&
        !needed.has(path)
      )
        this.#files.delete(path)
    }
  }

  /** A savepoint has copies of all files. */
  #copy(folder: string, metadata: CheckpointMetadata): CheckpointMetadata {
    const move = <H extends { readonly location: StateLocation; readonly origin?: number }>(handle: H): H => {
      const { location } = handle
      if (location.type !== 'file' || location.path.startsWith(`${folder}/`)) return handle
      const path = `${folder}/${location.path.replaceAll('/', '_')}`
      this.#files.set(path, this.#files.get(location.path) ?? '')
      const { origin: _, ...rest } = handle
      return { ...rest, location: { ...location, path } } as H
    }
    const operators = metadata.operators.map(operator => ({
      ...operator,
      subtasks: operator.subtasks.map(({ index, state }) => ({
        index,
        state: { ...state, keyed: state.keyed.map(move), operator: state.operator.map(move) },
      })),
    }))
    return { ...metadata, operators }
  }

  /** Notes what is wrong with a snapshot: subtasks that are not in it, files that are not there. */
  #check({ jobId, checkpointId, operators }: CheckpointMetadata): void {
    const problems: string[] = []
    for (const { operatorId, parallelism, subtasks } of operators) {
      if (subtasks.length !== parallelism)
        problems.push(`it has ${subtasks.length} of ${parallelism} subtasks of operator ${operatorId}`)
      for (const { location } of subtasks.flatMap(({ state }) => [...state.keyed, ...state.operator])) {
        if (location.type === 'file' && !this.#files.has(location.path))
          problems.push(`${location.path} is not there`)
      }
    }
    if (problems.length > 0) this.#problems.set(`${jobId}/${checkpointId}`, problems.join(', '))
  }
}

function filesOf({ operators }: CheckpointMetadata): readonly string[] {
  const states = operators.flatMap(({ subtasks }) => subtasks.map(({ state }) => state))
  const locations = states.flatMap(({ keyed, operator }) =>
    [...keyed, ...operator].map(({ location }) => location),
  )
  return locations.flatMap(location => (location.type === 'file' ? [location.path] : []))
}
