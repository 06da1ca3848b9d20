import { DISPATCHER_ENDPOINT, type DispatcherGateway, dispatcherGateway } from '@flink-ts/gateways'
import type { RpcClient, RpcSession } from '@flink-ts/rpc'

/**
 * The Dispatcher of whoever leads, for the REST API of any JobManager. Each call goes to the leader of its moment; what
 * is lost with a leader is not repeated. Rejects with `highavailability.no-leader` while there is none.
 */
export function leaderDispatcher(address: string, rpc: Pick<RpcClient, 'connect'>): DispatcherGateway {
  let opening: Promise<RpcSession> | undefined
  const session = async (): Promise<RpcSession> => {
    const current = opening
    try {
      const opened = await current
      if (opened !== undefined && !opened.lost) return opened
    } catch {
      // Whoever asked for it was told; this is another try.
    }
    // Somebody else may have begun one meanwhile.
    if (opening === current) {
      opening = rpc.connect(address, DISPATCHER_ENDPOINT, { name: 'rest', handlers: () => ({}) })
    }
    return opening as Promise<RpcSession>
  }
  const call =
    (method: keyof DispatcherGateway) =>
    async (...args: readonly never[]): Promise<unknown> => {
      const gateway = (await session()).gateway(dispatcherGateway)
      return await (gateway[method] as (...given: readonly never[]) => Promise<unknown>)(...args)
    }
  const methods = dispatcherGateway.methods.map(method => [method, call(method)])
  return Object.fromEntries(methods) as unknown as DispatcherGateway
}
