// Owns: sessions between endpoints (ordered, fenced, watched for silence), gRPC and in-memory transport.
// Called by: dispatcher, resourcemanager, jobmanager, taskmanager, client; wired by cluster.
// Calls: grpc-js, common.
// Thread: the main thread of a process.
export {
  defineGateway,
  type GatewayDefinition,
  type RpcEndpoint,
  type RpcHandlers,
  type RpcPeer,
  type RpcService,
  type RpcSession,
} from './endpoint/rpc-session.ts'
