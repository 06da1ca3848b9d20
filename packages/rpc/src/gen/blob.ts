// Generated from proto/blob.proto by packages/rpc/tools/generate-protocol.ts: change those.

import type { Reader, Writer } from 'protobufjs/minimal.js'
import protobuf from 'protobufjs/minimal.js'

export interface BlobKey {
  key: string
}

function writeBlobKey(message: BlobKey, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.key !== '') writer.uint32(10).string(message.key)
  return writer
}

function readBlobKey(source: Reader | Uint8Array, length?: number): BlobKey {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: BlobKey = { key: '' }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        message.key = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export interface BlobStatus {
  present: boolean
  error: string
}

function writeBlobStatus(message: BlobStatus, writer: Writer = protobuf.Writer.create()): Writer {
  if (message.present) writer.uint32(8).bool(message.present)
  if (message.error !== '') writer.uint32(18).string(message.error)
  return writer
}

function readBlobStatus(source: Reader | Uint8Array, length?: number): BlobStatus {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: BlobStatus = { present: false, error: '' }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 8:
        message.present = reader.bool()
        break
      case 18:
        message.error = reader.string()
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export interface BlobPart {
  content:
    | { case: 'header'; value: BlobKey }
    | { case: 'data'; value: Uint8Array }
    | { case: 'error'; value: string }
    | undefined
}

function writeBlobPart(message: BlobPart, writer: Writer = protobuf.Writer.create()): Writer {
  switch (message.content?.case) {
    case 'header':
      writeBlobKey(message.content.value, writer.uint32(10).fork()).ldelim()
      break
    case 'data':
      writer.uint32(18).bytes(message.content.value)
      break
    case 'error':
      writer.uint32(26).string(message.content.value)
      break
    default:
  }
  return writer
}

function readBlobPart(source: Reader | Uint8Array, length?: number): BlobPart {
  const reader = source instanceof protobuf.Reader ? source : protobuf.Reader.create(source)
  const end = length === undefined ? reader.len : reader.pos + length
  const message: BlobPart = { content: undefined }
  while (reader.pos < end) {
    const tag = reader.uint32()
    switch (tag) {
      case 10:
        message.content = { case: 'header', value: readBlobKey(reader, reader.uint32()) }
        break
      case 18:
        message.content = { case: 'data', value: reader.bytes() }
        break
      case 26:
        message.content = { case: 'error', value: reader.string() }
        break
      default:
        reader.skipType(tag & 7)
    }
  }
  return message
}

export const blobService = {
  has: {
    path: '/flink_ts.rpc.v1.Blob/Has',
    requestStream: false,
    responseStream: false,
    requestSerialize: (message: BlobKey): Buffer => writeBlobKey(message).finish() as Buffer,
    requestDeserialize: (bytes: Buffer): BlobKey => readBlobKey(bytes),
    responseSerialize: (message: BlobStatus): Buffer => writeBlobStatus(message).finish() as Buffer,
    responseDeserialize: (bytes: Buffer): BlobStatus => readBlobStatus(bytes),
  },
  put: {
    path: '/flink_ts.rpc.v1.Blob/Put',
    requestStream: true,
    responseStream: false,
    requestSerialize: (message: BlobPart): Buffer => writeBlobPart(message).finish() as Buffer,
    requestDeserialize: (bytes: Buffer): BlobPart => readBlobPart(bytes),
    responseSerialize: (message: BlobStatus): Buffer => writeBlobStatus(message).finish() as Buffer,
    responseDeserialize: (bytes: Buffer): BlobStatus => readBlobStatus(bytes),
  },
  get: {
    path: '/flink_ts.rpc.v1.Blob/Get',
    requestStream: false,
    responseStream: true,
    requestSerialize: (message: BlobKey): Buffer => writeBlobKey(message).finish() as Buffer,
    requestDeserialize: (bytes: Buffer): BlobKey => readBlobKey(bytes),
    responseSerialize: (message: BlobPart): Buffer => writeBlobPart(message).finish() as Buffer,
    responseDeserialize: (bytes: Buffer): BlobPart => readBlobPart(bytes),
  },
} as const
