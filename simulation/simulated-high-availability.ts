import type { FileSystem } from '@flink-ts/filesystem'
import { FileHighAvailability, LeaderRpcClient, leaderAddress } from '@flink-ts/highavailability'
import type { RpcClient } from '@flink-ts/rpc'
import type { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

const LEASE = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 250 }

/** The lease and the records of jobs, as one process sees them. */
export function highAvailabilityOf(world: World, { clock }: SimulatedProcess): FileHighAvailability {
  // Of the file system, records use what the simulated one has.
  const fileSystem = world.files.of(clock) as unknown as FileSystem
  return new FileHighAvailability({ folder: 'sim:/high-availability', ...LEASE }, { fileSystem })
}

/** How a process reaches the JobManager. @param address undefined: whoever leads */
export function accessOf(
  world: World,
  process: SimulatedProcess,
  address: string | undefined,
): { readonly rpc: RpcClient; readonly jobManagerAddress: string } {
  const { rpc } = process
  if (address !== undefined) return { rpc, jobManagerAddress: address }
  const { leader } = highAvailabilityOf(world, process)
  return { rpc: new LeaderRpcClient({ rpc, leader }), jobManagerAddress: leaderAddress(leader) }
}
