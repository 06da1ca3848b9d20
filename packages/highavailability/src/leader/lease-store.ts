import type { LeaderInformation } from './leader-information.ts'

/** Which process claimed an epoch, so that others on its machine see when it has ended. */
export interface LeaseHolder {
  /** The same for processes that see each other's ids; empty: unknown. */
  readonly machine: string
  readonly pid: number
  /** Tells the process from a later one with its id; empty: unknown. */
  readonly started: string
}

/** What is stored of one epoch. Only its holder writes it again. */
export interface LeaseRecord extends LeaderInformation {
  readonly beat: number
  readonly released: boolean
  readonly holder: LeaseHolder
}

/** Epochs of a lease. Reads see all writes that were over when they began. */
export interface LeaseStore {
  readonly where: string
  /** The record of the highest epoch. */
  read(): Promise<LeaseRecord | undefined>
  /** Creates the record of a new epoch; false: somebody else has. */
  claim(record: LeaseRecord): Promise<boolean>
  /** Writes the record of the own epoch again. */
  renew(record: LeaseRecord): Promise<void>
  /** The highest epoch that was ever claimed; 0: none. */
  highest(): Promise<number>
  /** Removes the records of earlier epochs. */
  forgetBefore(epoch: number): Promise<void>
}
