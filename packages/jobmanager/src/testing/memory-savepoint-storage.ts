import type { CheckpointMetadata, FoundSnapshot, SavepointStorage } from '@flink-ts/state'

/** For tests: keeps savepoints in memory; writing can be held up or made to fail. */
export class MemorySavepointStorage
  implements
    Pick<SavepointStorage, 'newFolder' | 'complete' | 'discard' | 'dispose' | 'readMetadata' | 'findLatest'>
{
  readonly savepoints = new Map<string, CheckpointMetadata>()
  readonly discarded: string[] = []
  latest: FoundSnapshot | undefined
  failing = false
  held: Promise<void> | undefined
  #made = 0

  async newFolder(directory: string): Promise<string> {
    if (directory === 'unusable') throw new Error('not writable')
    return `${directory}/savepoint-${++this.#made}`
  }

  async complete(folder: string, metadata: CheckpointMetadata): Promise<FoundSnapshot> {
    if (this.held !== undefined) await this.held
    if (this.failing) throw new Error('disk full')
    this.savepoints.set(folder, metadata)
    return { pointer: folder, metadata }
  }

  async readMetadata(pointer: string): Promise<CheckpointMetadata> {
    const metadata = this.savepoints.get(pointer)
    if (metadata === undefined) throw new Error(`there is no ${pointer}`)
    return metadata
  }

  async findLatest(): Promise<FoundSnapshot | undefined> {
    return this.latest
  }

  async discard(folder: string): Promise<void> {
    this.discarded.push(folder)
    this.savepoints.delete(folder)
  }

  async dispose(pointer: string): Promise<void> {
    await this.readMetadata(pointer)
    this.savepoints.delete(pointer)
  }
}
