// Owns: sessions between endpoints (ordered, fenced, watched for silence), gRPC and in-memory transport, blobs.
// Called by: dispatcher, resourcemanager, jobmanager, taskmanager, client; wired by cluster.
// Calls: grpc-js, msgpackr, common.
// Thread: the main thread of a process.
export { BLOB_PART_BYTES, type BlobAccess, type BlobStore } from './blob/blob-access.ts'
export { blobKeyOf } from './blob/blob-file.ts'
export { BlobServer } from './blob/blob-server.ts'
export {
  defineGateway,
  type GatewayDefinition,
  type RpcClient,
  type RpcEndpoint,
  type RpcHandlers,
  type RpcPeer,
  type RpcService,
  type RpcSession,
} from './endpoint/rpc-session.ts'
export {
  BlobNotFound,
  ConnectionRefused,
  EndpointNotFound,
  PayloadTooLarge,
  SessionLost,
  Unauthenticated,
  VersionMismatch,
} from './errors.ts'
export { decodePayload, encodePayload } from './payload/payload-codec.ts'
export {
  allowUnauthenticatedRpc,
  connectTimeout,
  frameSize,
  heartbeatInterval,
  heartbeatTimeout,
  type SessionSettings,
  sessionResumeTimeout,
  sessionSettingsOf,
} from './rpc-options.ts'
export {
  GrpcRpcClient,
  type GrpcRpcClientOptions,
  type GrpcRpcDependencies,
} from './transport/grpc-rpc-client.ts'
export { GrpcRpcService, type GrpcRpcServiceOptions } from './transport/grpc-rpc-service.ts'
export { InProcessNetwork } from './transport/in-process-network.ts'
export { InProcessRpcService, type InProcessRpcServiceOptions } from './transport/in-process-rpc-service.ts'
