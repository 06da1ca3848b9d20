import {
  type Configuration,
  isFlinkError,
  JOBMANAGER_RPC_ADDRESS,
  JOBMANAGER_RPC_PORT,
  type ResourceId,
  VERSION,
} from '@flink-ts/common'
import { highAvailabilityType, jobManagerPort, NoFreePort, portsOf } from '@flink-ts/highavailability'
import { type GrpcRpcDependencies, GrpcRpcService, sessionSettingsOf } from '@flink-ts/rpc'
import { JOBMANAGER_BIND_HOST, JOBMANAGER_RPC_BIND_PORT } from '../cluster-options.ts'

/**
 * The started service of a JobManager: at `jobmanager.rpc.port`; with high availability at the first free one of
 * `high-availability.jobmanager.port`, since others look it up. Rejects with `rpc.bind-failed`,
 * `rpc.unauthenticated-binding`, `highavailability.no-free-port`.
 */
export async function startJobManagerRpc(
  options: { readonly configuration: Configuration; readonly resourceId: ResourceId },
  dependencies: GrpcRpcDependencies,
): Promise<GrpcRpcService> {
  const { configuration, resourceId } = options
  const start = async (port: number, advertisedPort?: number): Promise<GrpcRpcService> => {
    const rpc = new GrpcRpcService(
      {
        bindHost: configuration.get(JOBMANAGER_BIND_HOST),
        port,
        advertisedHost: configuration.get(JOBMANAGER_RPC_ADDRESS),
        ...(advertisedPort !== undefined && { advertisedPort }),
        resourceId,
        version: VERSION,
        settings: sessionSettingsOf(configuration),
      },
      dependencies,
    )
    await rpc.start()
    return rpc
  }
  if (configuration.get(highAvailabilityType) === 'none') {
    const port = configuration.get(JOBMANAGER_RPC_PORT)
    const bindPort = configuration.get(JOBMANAGER_RPC_BIND_PORT)
    return bindPort === -1 ? start(port) : start(bindPort, port)
  }
  const text = configuration.get(jobManagerPort)
  let last: unknown
  for (const port of portsOf(text) ?? []) {
    try {
      return await start(port)
    } catch (error) {
      if (!isFlinkError(error) || error.code !== 'rpc.bind-failed') throw error
      last = error
    }
  }
  throw NoFreePort({ ports: text, reason: last instanceof Error ? last.message : String(last) }, last)
}
