import type { CheckpointMetadata, CheckpointStorage } from '@flink-ts/state'

/** For tests: keeps metadata in memory; writing can be held up or made to fail. */
export class MemoryCheckpointStorage
  implements
    Pick<CheckpointStorage, 'prepare' | 'complete' | 'readMetadata' | 'retire' | 'discard' | 'discardJob'>
{
  readonly checkpoints = new Map<string, CheckpointMetadata>()
  readonly discarded: number[] = []
  jobDiscarded = false
  failing = false
  /** Before the job starts. */
  unusable = false
  held: Promise<void> | undefined

  async prepare(): Promise<void> {
    if (this.unusable) throw new Error('not writable')
  }

  async complete(metadata: CheckpointMetadata): Promise<string> {
    if (this.held !== undefined) await this.held
    if (this.failing) throw new Error('disk full')
    this.checkpoints.set(`chk-${metadata.checkpointId}`, metadata)
    return `chk-${metadata.checkpointId}`
  }

  async readMetadata(pointer: string): Promise<CheckpointMetadata> {
    const metadata = this.checkpoints.get(pointer)
    if (metadata === undefined) throw new Error(`there is no ${pointer}`)
    return metadata
  }

  async retire(checkpointId: number): Promise<void> {
    this.checkpoints.delete(`chk-${checkpointId}`)
  }

  async discard(checkpointId: number): Promise<void> {
    this.discarded.push(checkpointId)
    this.checkpoints.delete(`chk-${checkpointId}`)
  }

  async discardJob(): Promise<void> {
    if (this.held !== undefined) await this.held
    this.jobDiscarded = true
  }
}
