import type { ResourceId } from '@flink-ts/common'
import type { BlobAccess, RpcClient, RpcHandlers, RpcSession } from '@flink-ts/rpc'
import { NoLeader } from '../errors.ts'
import type { LeaderRetrieval } from './leader-information.ts'

/** The address of whoever leads. */
export function leaderAddress(leader: LeaderRetrieval): string {
  return `the leader in ${leader.where}`
}

/**
 * Sessions and blobs of other processes, where {@link leaderAddress} means the one that leads when it is asked. Rejects
 * with `highavailability.no-leader` (retry: backoff) while nobody does, and when the process at the leader's address is
 * not the one that was meant.
 */
export class LeaderRpcClient implements RpcClient {
  readonly blobs: BlobAccess
  readonly #inner: RpcClient
  readonly #leader: LeaderRetrieval
  readonly #address: string

  constructor(dependencies: { readonly rpc: RpcClient; readonly leader: LeaderRetrieval }) {
    this.#inner = dependencies.rpc
    this.#leader = dependencies.leader
    this.#address = leaderAddress(dependencies.leader)
    const blobs = (): BlobAccess => this.#inner.blobs
    this.blobs = {
      put: async (address, content) => blobs().put(await this.#resolve(address), content),
      has: async (address, key) => blobs().has(await this.#resolve(address), key),
      get: async (address, key, targetFile) => blobs().get(await this.#resolve(address), key, targetFile),
    }
  }

  get resourceId(): ResourceId {
    return this.#inner.resourceId
  }

  async connect(
    address: string,
    endpointName: string,
    local: { readonly name: string; readonly handlers: (session: RpcSession) => RpcHandlers },
  ): Promise<RpcSession> {
    if (address !== this.#address) return this.#inner.connect(address, endpointName, local)
    const leader = await this.#current()
    const session = await this.#inner.connect(leader.address, endpointName, local)
    if (session.leaderSessionId === leader.leaderSessionId) return session
    // Another process has the address now, or the same one leads again.
    session.close('it is not the leader that was meant')
    throw NoLeader({ where: this.#leader.where })
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #resolve(address: string): Promise<string> {
    return address === this.#address ? (await this.#current()).address : address
  }

  async #current() {
    const leader = await this.#leader.current()
    if (leader === undefined) throw NoLeader({ where: this.#leader.where })
    return leader
  }
}
