import { type Sink, sinkCommitterOperator, sinkOperator, sinkWriterOperator } from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'
import type { StreamNode, Upstream } from '../graph/stream-graph.ts'
import { DataStreamSink } from './data-stream-sink.ts'
import type { GraphBuilder } from './graph-builder.ts'

/** What {@link addSink} needs to know of streams. */
export interface SinkInput {
  /** The stream to be written. */
  readonly input: unknown
  /** The stream that an operator gives. */
  streamOf(node: StreamNode): unknown
  /** Undefined: it is no stream. */
  upstreamsOf(stream: unknown): readonly Upstream[] | undefined
}

const given = new WeakSet<object>()

/** The sink, or one like it if it was given to an operator before and must not be shared. */
function ownSink<T>(sink: Sink<T>): Sink<T> {
  if (sink.copy !== undefined && given.has(sink)) return sink.copy()
  given.add(sink)
  return sink
}

/**
 * Ends a stream in a sink: one operator, or writers and committers of their own if the sink transforms its committables.
 * @throws streaming.invalid-argument if a hook of the sink gives no stream
 */
export function addSink<T>(
  builder: GraphBuilder,
  {
    call,
    defaultName,
    sink: givenSink,
  }: { readonly call: string; readonly defaultName: string; readonly sink: Sink<T> },
  streams: SinkInput,
): DataStreamSink {
  const sink = ownSink(givenSink)
  const through = (
    hook: 'addPreWriteTopology' | 'addPreCommitTopology',
    stream: unknown,
  ): readonly Upstream[] => {
    const result = sink[hook] === undefined ? stream : sink[hook](stream as never)
    const upstreams = streams.upstreamsOf(result)
    if (upstreams !== undefined) return upstreams
    throw InvalidArgument({
      call: `${call} of the sink ${sink.kind}`,
      value: `${String(result)} from ${hook}`,
      expected: 'the DataStream that it was given, or one made of it',
    })
  }
  const inputs = through('addPreWriteTopology', streams.input)
  if (sink.addPreCommitTopology === undefined) {
    return new DataStreamSink(builder.addOperator(call, { defaultName, factory: sinkOperator(sink), inputs }))
  }
  const writer = builder.addOperator(call, {
    defaultName: `${defaultName}: Writer`,
    factory: sinkWriterOperator(sink),
    inputs,
  })
  const committer = builder.addOperator(call, {
    defaultName: `${defaultName}: Committer`,
    factory: sinkCommitterOperator(sink),
    inputs: through('addPreCommitTopology', streams.streamOf(writer)),
  })
  return new DataStreamSink(committer, writer)
}
