import { type Configuration, JOBMANAGER_RPC_ADDRESS, JOBMANAGER_RPC_PORT } from '@flink-ts/common'
import type { RpcClient } from '@flink-ts/rpc'
import { openHighAvailability } from '../open-high-availability.ts'
import { LeaderRpcClient, leaderAddress } from './leader-rpc-client.ts'

/** How TaskManagers and clients reach the JobManager. */
export interface JobManagerAccess {
  /** Understood by what {@link JobManagerAccess.through} answers. */
  readonly address: string
  /** Whether the address means whoever leads. */
  readonly elected: boolean
  /** Makes connections understand the address. */
  through(rpc: RpcClient): RpcClient
}

/**
 * What a configuration says: the leader, if there is high availability, else `jobmanager.rpc.address`. Throws as
 * {@link openHighAvailability}.
 */
export function jobManagerAccess(configuration: Configuration): JobManagerAccess {
  const leader = openHighAvailability(configuration)?.leader
  if (leader !== undefined) {
    const through = (rpc: RpcClient): RpcClient => new LeaderRpcClient({ rpc, leader })
    return { address: leaderAddress(leader), elected: true, through }
  }
  const address = `${configuration.get(JOBMANAGER_RPC_ADDRESS)}:${configuration.get(JOBMANAGER_RPC_PORT)}`
  return { address, elected: false, through: rpc => rpc }
}
