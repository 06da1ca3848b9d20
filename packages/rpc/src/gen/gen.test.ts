import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadSync } from '@grpc/proto-loader'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { generateProtocol } from '../../tools/generate-protocol.ts'
import { PROTOCOL_VERSION } from '../session/protocol-version.ts'
import { blobService } from './blob.ts'
import { type Envelope, sessionService } from './session.ts'

const schemaFile = (name: string): string => fileURLToPath(new URL(`../../../../proto/${name}`, import.meta.url))

describe('generated protocol', () => {
  test('is what the generator writes today', () => {
    for (const { file, text } of generateProtocol()) expect(readFileSync(file, 'utf8'), file).toBe(text)
  }, 20_000)

  test('is pinned: who changes a schema raises PROTOCOL_VERSION and pins the new hashes', () => {
    const hash = (name: string): string => createHash('sha256').update(readFileSync(schemaFile(name))).digest('hex')
    expect({ version: PROTOCOL_VERSION, session: hash('session.proto'), blob: hash('blob.proto') }).toEqual({
      version: 2,
      session: 'ed17fec35c57f81921a8d571a2cdfd3f21d034961c0d5cf5f1dcc7d4ac1ad633',
      blob: '1472d6dda2685e7d70513d8ed5809f729e046aecd8449a41d3107dcdbb8e01f6',
    })
  })

  const bytes = fc.uint8Array({ maxLength: 50 })
  const sequence = fc.maxSafeNat()
  const body = fc.oneof(
    fc.record({
      case: fc.constant('hello' as const),
      value: fc.record({
        protocolVersion: fc.nat(),
        productVersion: fc.string({ unit: 'grapheme' }),
        sessionId: fc.string(),
        resume: fc.boolean(),
        endpointName: fc.string(),
        peerName: fc.string(),
        resourceId: fc.string(),
        probeAddress: fc.string(),
      }),
    }),
    fc.record({ case: fc.constant('refusal' as const), value: fc.record({ error: fc.string() }) }),
    fc.record({
      case: fc.constant('welcome' as const),
      value: fc.record({ leaderSessionId: fc.string(), resourceId: fc.string(), productVersion: fc.string() }),
    }),
    fc.record({
      case: fc.constant('call' as const),
      value: fc.record({ sequence, method: fc.string(), arguments: bytes }),
    }),
    fc.record({
      case: fc.constant('reply' as const),
      value: fc.record({
        sequence,
        call: sequence,
        outcome: fc.record({ case: fc.constantFrom('value' as const, 'error' as const), value: bytes }),
      }),
    }),
    fc.record({ case: fc.constant('probe' as const), value: fc.constant({}) }),
    fc.record({ case: fc.constant('close' as const), value: fc.record({ reason: fc.string() }) }),
    fc.constant(undefined),
  )
  const envelopes: fc.Arbitrary<Envelope> = fc.record({ ack: sequence, body })
  /** As JSON, with bytes as arrays of numbers, whatever class they are of. */
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return [...value]
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  }

  test('round-trips', () => {
    const { requestSerialize, requestDeserialize } = sessionService.open
    fc.assert(
      fc.property(envelopes, envelope => {
        expect(plain(requestDeserialize(requestSerialize(envelope)))).toEqual(plain(envelope))
      }),
    )
  })

  test('is the wire format that any protobuf implementation reads from the schema', () => {
    const { 'flink_ts.rpc.v1.Session': session, 'flink_ts.rpc.v1.Blob': blob } = loadSync(
      [schemaFile('session.proto'), schemaFile('blob.proto')],
      { longs: Number, oneofs: true, defaults: true },
    ) as unknown as Record<string, Record<string, { path: string; requestDeserialize(bytes: Buffer): unknown }>>
    expect(session?.['Open']?.path).toBe(sessionService.open.path)
    expect(Object.keys(blob ?? {}).map(name => blob?.[name]?.path)).toEqual(Object.values(blobService).map(m => m.path))
    fc.assert(
      fc.property(envelopes, envelope => {
        const read = session?.['Open']?.requestDeserialize(
          sessionService.open.requestSerialize(envelope),
        ) as Record<string, Record<string, unknown>>
        expect(read['ack']).toBe(envelope.ack)
        const { body } = envelope
        expect(read['body']).toBe(body?.case)
        if (body === undefined) return
        const value = read[body.case] ?? {}
        if (body.case === 'reply') {
          const { outcome, ...rest } = body.value
          expect(value).toMatchObject(rest)
          expect(value['outcome']).toBe(outcome?.case)
          expect([...(value[outcome?.case ?? ''] as Uint8Array)]).toEqual([...(outcome?.value ?? [])])
        } else {
          expect(plain(value)).toMatchObject(plain(body.value) as object)
        }
      }),
    )
  })
})
