import type { ChannelOptions } from '@grpc/grpc-js'

/** Room beside the payload: method name, sequence numbers. */
const ENVELOPE_OVERHEAD_BYTES = 64 * 1024

/** Options of our channels and servers, each against a default of grpc-js that does not fit. */
export function channelOptions(maxMessageBytes: number): ChannelOptions {
  return {
    // The default limit of 4 MB for received messages is neither asked for nor announced.
    'grpc.max_receive_message_length': maxMessageBytes + ENVELOPE_OVERHEAD_BYTES,
    'grpc.max_send_message_length': maxMessageBytes + ENVELOPE_OVERHEAD_BYTES,
    // Each connection is our own: shared subchannels share their back-off, which grows to 120 s.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.min_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
    // Sessions send again by themselves what was not acknowledged; buffers for transparent retries double it.
    'grpc.enable_retries': 0,
    // Cluster traffic never goes through a proxy of the environment, nor are TXT records asked for.
    'grpc.enable_http_proxy': 0,
    'grpc.service_config_disable_resolution': 1,
    // Frees the sockets of hosts that vanished.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc-node.flow_control_window': 1 << 20,
    'grpc.enable_channelz': 0,
  }
}
