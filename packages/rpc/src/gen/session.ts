// Generated from proto/session.proto by packages/rpc/tools/generate-protocol.ts: change those.

import type { Reader, Writer } from 'protobufjs/minimal.js'
import protobuf from 'protobufjs/minimal.js'

function toNumber(value: unknown): number {
  return typeof value === 'number' ? value : (value as { toNumber(): number }).toNumber()
}

export interface Envelope {
  ack: number
  body:
    | { case: 'hello'; value: Hello }
    | { case: 'refusal'; value: Refusal }
    | { case: 'welcome'; value: Welcome }
    | { case: 'call'; value: Call }
    | { case: 'reply'; value: Reply }
    | { case: 'probe'; value: Probe }
    | { case: 'close'; value: Close }
    | undefined
}

function writeEnvelope(message: Envelope, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.ack !== 0) writer.uint32(8).uint64(message.ack)
  switch (message.body?.case) {
    case 'hello':
      writeHello(message.body.value, writer.uint32(18).fork()).ldelim()
      break
    case 'refusal':
      writeRefusal(message.body.value, writer.uint32(26).fork()).ldelim()
      break
    case 'welcome':
      writeWelcome(message.body.value, writer.uint32(34).fork()).ldelim()
      break
    case 'call':
      writeCall(message.body.value, writer.uint32(42).fork()).ldelim()
      break
    case 'reply':
      writeReply(message.body.value, writer.uint32(50).fork()).ldelim()
      break
    case 'probe':
      writeProbe(message.body.value, writer.uint32(58).fork()).ldelim()
      break
    case 'close':
      writeClose(message.body.value, writer.uint32(66).fork()).ldelim()
      break
    default:
  }
  return writer
}

function readEnvelope(source: Reader | Uint8Array, length?: number): Envelope {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Envelope = { ack: 0, body: undefined }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        message.ack = toNumber(reader.uint64())
        break
      case 18:
        message.body = { case: 'hello', value: readHello(reader, reader.uint32()) }
        break
      case 26:
        message.body = { case: 'refusal', value: readRefusal(reader, reader.uint32()) }
        break
      case 34:
        message.body = { case: 'welcome', value: readWelcome(reader, reader.uint32()) }
        break
      case 42:
        message.body = { case: 'call', value: readCall(reader, reader.uint32()) }
        break
      case 50:
        message.body = { case: 'reply', value: readReply(reader, reader.uint32()) }
        break
      case 58:
        message.body = { case: 'probe', value: readProbe(reader, reader.uint32()) }
        break
      case 66:
        message.body = { case: 'close', value: readClose(reader, reader.uint32()) }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export interface Hello {
  protocolVersion: number
  productVersion: string
  sessionId: string
  resume: boolean
  endpointName: string
  peerName: string
  resourceId: string
  probeAddress: string
}

function writeHello(message: Hello, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.protocolVersion !== 0) writer.uint32(8).uint32(message.protocolVersion)
  if (message.productVersion !== '') writer.uint32(18).string(message.productVersion)
  if (message.sessionId !== '') writer.uint32(26).string(message.sessionId)
  if (message.resume) writer.uint32(32).bool(message.resume)
  if (message.endpointName !== '') writer.uint32(42).string(message.endpointName)
  if (message.peerName !== '') writer.uint32(50).string(message.peerName)
  if (message.resourceId !== '') writer.uint32(58).string(message.resourceId)
  if (message.probeAddress !== '') writer.uint32(66).string(message.probeAddress)
  return writer
}

function readHello(source: Reader | Uint8Array, length?: number): Hello {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Hello = {
    protocolVersion: 0,
    productVersion: '',
    sessionId: '',
    resume: false,
    endpointName: '',
    peerName: '',
    resourceId: '',
    probeAddress: '',
  }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        message.protocolVersion = reader.uint32()
        break
      case 18:
        message.productVersion = reader.string()
        break
      case 26:
        message.sessionId = reader.string()
        break
      case 32:
        message.resume = reader.bool()
        break
      case 42:
        message.endpointName = reader.string()
        break
      case 50:
        message.peerName = reader.string()
        break
      case 58:
        message.resourceId = reader.string()
        break
      case 66:
        message.probeAddress = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

interface Refusal {
  error: string
}

function writeRefusal(message: Refusal, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.error !== '') writer.uint32(10).string(message.error)
  return writer
}

function readRefusal(source: Reader | Uint8Array, length?: number): Refusal {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Refusal = { error: '' }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        message.error = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export interface Welcome {
  leaderSessionId: string
  resourceId: string
  productVersion: string
}

function writeWelcome(message: Welcome, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.leaderSessionId !== '') writer.uint32(10).string(message.leaderSessionId)
  if (message.resourceId !== '') writer.uint32(18).string(message.resourceId)
  if (message.productVersion !== '') writer.uint32(26).string(message.productVersion)
  return writer
}

function readWelcome(source: Reader | Uint8Array, length?: number): Welcome {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Welcome = { leaderSessionId: '', resourceId: '', productVersion: '' }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        message.leaderSessionId = reader.string()
        break
      case 18:
        message.resourceId = reader.string()
        break
      case 26:
        message.productVersion = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export interface Call {
  sequence: number
  method: string
  arguments: Uint8Array
}

function writeCall(message: Call, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.sequence !== 0) writer.uint32(8).uint64(message.sequence)
  if (message.method !== '') writer.uint32(18).string(message.method)
  if (message.arguments.length > 0) writer.uint32(26).bytes(message.arguments)
  return writer
}

function readCall(source: Reader | Uint8Array, length?: number): Call {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Call = { sequence: 0, method: '', arguments: new Uint8Array(0) }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        message.sequence = toNumber(reader.uint64())
        break
      case 18:
        message.method = reader.string()
        break
      case 26:
        message.arguments = reader.bytes()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export interface Reply {
  sequence: number
  call: number
  outcome: { case: 'value'; value: Uint8Array } | { case: 'error'; value: Uint8Array } | undefined
}

function writeReply(message: Reply, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.sequence !== 0) writer.uint32(8).uint64(message.sequence)
  if (message.call !== 0) writer.uint32(16).uint64(message.call)
  switch (message.outcome?.case) {
    case 'value':
      writer.uint32(26).bytes(message.outcome.value)
      break
    case 'error':
      writer.uint32(34).bytes(message.outcome.value)
      break
    default:
  }
  return writer
}

function readReply(source: Reader | Uint8Array, length?: number): Reply {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Reply = { sequence: 0, call: 0, outcome: undefined }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        message.sequence = toNumber(reader.uint64())
        break
      case 16:
        message.call = toNumber(reader.uint64())
        break
      case 26:
        message.outcome = { case: 'value', value: reader.bytes() }
        break
      case 34:
        message.outcome = { case: 'error', value: reader.bytes() }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

type Probe = Record<never, never>

function writeProbe(_message: Probe, writer: Writer = protobuf.Writer.create()): Writer {
  return writer
}

function readProbe(source: Reader | Uint8Array, length?: number): Probe {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Probe = {}
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

interface Close {
  reason: string
}

function writeClose(message: Close, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.reason !== '') writer.uint32(10).string(message.reason)
  return writer
}

function readClose(source: Reader | Uint8Array, length?: number): Close {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: Close = { reason: '' }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        message.reason = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export const sessionService = {
  open: {
    path: '/flink_ts.rpc.v1.Session/Open',
    requestStream: true,
    responseStream: true,
    requestSerialize: (message: Envelope): Buffer => writeEnvelope(message).finish() as Buffer,
    requestDeserialize: (bytes: Buffer): Envelope => readEnvelope(bytes),
    responseSerialize: (message: Envelope): Buffer => writeEnvelope(message).finish() as Buffer,
    responseDeserialize: (bytes: Buffer): Envelope => readEnvelope(bytes),
  },
} as const
