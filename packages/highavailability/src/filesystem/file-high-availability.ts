import type { Random } from '@flink-ts/common'
import { type FileSystem, joinUri } from '@flink-ts/filesystem'
import { StorageUnusable } from '../errors.ts'
import { LeaderCampaign } from '../leader/leader-campaign.ts'
import type { LeaderRetrieval } from '../leader/leader-information.ts'
import type { LeaderTerm } from '../leader/leader-term.ts'
import { isDead, ownHolder } from '../leader/process-holder.ts'
import type { Campaign, HighAvailability } from '../store/high-availability.ts'
import type { JobStore } from '../store/job-store.ts'
import { FileJobStore } from './file-job-store.ts'
import { FileLeaseStore } from './file-lease-store.ts'

export interface FileHighAvailabilityOptions {
  /** URI of the folder of this cluster. */
  readonly folder: string
  readonly leaseDurationMs: number
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
}

/** `<folder>/leader/epoch-<n>` and `<folder>/jobs/<job id>/`, on a file system that all processes share. */
export class FileHighAvailability implements HighAvailability {
  readonly leader: LeaderRetrieval
  readonly #options: FileHighAvailabilityOptions
  readonly #fileSystem: FileSystem
  readonly #lease: FileLeaseStore

  constructor(options: FileHighAvailabilityOptions, dependencies: { readonly fileSystem: FileSystem }) {
    this.#options = options
    this.#fileSystem = dependencies.fileSystem
    const lease = new FileLeaseStore({ folder: joinUri(options.folder, 'leader') }, dependencies)
    this.#lease = lease
    this.leader = {
      where: lease.where,
      async current() {
        const record = await lease.read()
        return record === undefined || record.released ? undefined : record
      },
    }
  }

  async prepare(random: Random): Promise<void> {
    const { folder } = this.#options
    const probe = joinUri(folder, `.probe-${random.bytes(8).toString('hex')}`)
    try {
      await this.#fileSystem.writeFile(probe, Buffer.from('written to see that it can be'), 'create')
      await this.#fileSystem.delete(probe)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw StorageUnusable({ directory: folder, reason }, error)
    }
  }

  campaign(...[options, dependencies]: Parameters<HighAvailability['campaign']>): Campaign {
    return new LeaderCampaign(
      { ...this.#options, ...options, holder: ownHolder() },
      { ...dependencies, store: this.#lease, isDead },
    )
  }

  jobs(term: LeaderTerm, dependencies: Parameters<HighAvailability['jobs']>[1]): JobStore {
    return new FileJobStore(
      { folder: joinUri(this.#options.folder, 'jobs') },
      { ...dependencies, fileSystem: this.#fileSystem, term },
    )
  }
}
