// A process that opens a session, reports its loss, closes its client, and must then end by itself.
import { GrpcRpcClient } from '../transport/grpc-rpc-client.ts'
import { EchoHandlers, echoGateway, testDependencies, testProcess } from './echo.ts'

const [address = '', name = ''] = process.argv.slice(2)
const client = new GrpcRpcClient(
  { ...testProcess(name), settings: { heartbeatIntervalMs: 100, heartbeatTimeoutMs: 1000 } },
  testDependencies,
)
await client.start()
const handlers = new EchoHandlers()
const session = await client.connect(address, 'echo', { name, handlers: () => handlers })
await session.gateway(echoGateway).push(1)
session.onLost(cause => {
  process.send?.({ lost: cause.message })
  // Its failure would end this process with an error, which is what the test looks at.
  void client.close().then(() => process.disconnect())
})
process.send?.('connected')
