import { type LeaderSessionId, ManualClock, nullLogger, type ResourceId } from '@flink-ts/common'
import { describe, expect, test } from 'vitest'
import type { Envelope } from '../gen/session.ts'
import { encodePayload } from '../payload/payload-codec.ts'
import { checkedSettings } from '../rpc-options.ts'
import { EchoHandlers, echoGateway } from '../testing/echo.ts'
import type { Link } from './link.ts'
import { SequencedSession } from './sequenced-session.ts'

/** A link that records what goes over it. */
class RecordingLink implements Link {
  readonly watched = true
  readonly sent: Envelope[] = []
  closed = false

  listen(): void {}

  send(envelope: Envelope): void {
    this.sent.push(envelope)
  }

  close(): void {
    this.closed = true
  }

  /** Sequence numbers of the calls that were sent. */
  get calls(): number[] {
    return this.sent.flatMap(({ body }) => (body?.case === 'call' ? [body.value.sequence] : []))
  }
}

function push(sequence: number, ack = 0): Envelope {
  return {
    ack,
    body: { case: 'call', value: { sequence, method: 'push', arguments: encodePayload([sequence]) } },
  }
}

function newSession() {
  const clock = new ManualClock()
  let detached = 0
  const session = new SequencedSession(
    {
      sessionId: 's',
      peerLabel: 'peer',
      localName: 'here',
      peer: { name: 'peer', resourceId: 'r' as ResourceId, version: '1' },
      leaderSessionId: 'l' as LeaderSessionId,
    },
    checkedSettings({}),
    { clock, logger: nullLogger, onDetached: () => detached++ },
  )
  const handlers = new EchoHandlers()
  session.handlers = handlers
  return { session, clock, handlers, detached: () => detached }
}

describe('SequencedSession', () => {
  test('a message that comes again is dropped', () => {
    const { session, handlers } = newSession()
    const link = new RecordingLink()
    session.attach(link, 0)
    for (const sequence of [1, 2, 2, 1, 3]) session.receive(link, push(sequence))
    expect(handlers.pushed).toEqual([1, 2, 3])
  })

  test('what still arrives over an old link is ignored: it comes again over the new one', () => {
    const { session, handlers } = newSession()
    const old = new RecordingLink()
    const link = new RecordingLink()
    session.attach(old, 0)
    session.receive(old, push(1))
    session.attach(link, 0)
    expect(old.closed).toBe(true)
    session.receive(old, push(2))
    session.detach(old, 'too late to matter')
    expect(handlers.pushed).toEqual([1])
    session.receive(link, push(2))
    expect(handlers.pushed).toEqual([1, 2])
    expect(session.lost).toBe(false)
  })

  test('a gap gives the link up, so that the missing message is sent again', () => {
    const { session, handlers, detached } = newSession()
    const link = new RecordingLink()
    session.attach(link, 0)
    session.receive(link, push(2))
    expect(handlers.pushed).toEqual([])
    expect([link.closed, detached()]).toEqual([true, 1])
  })

  test('sends again exactly what the peer has not received', async () => {
    const { session } = newSession()
    const first = new RecordingLink()
    session.attach(first, 0)
    const gateway = session.gateway(echoGateway)
    const answers = Promise.allSettled([1, 2, 3, 4].map(n => gateway.push(n)))
    expect(first.calls).toEqual([1, 2, 3, 4])
    session.receive(first, { ack: 1, body: { case: 'probe', value: {} } })
    session.detach(first, 'cut')
    const second = new RecordingLink()
    session.attach(second, 3)
    expect(second.calls).toEqual([4])
    session.close('test is over')
    expect((await answers).every(({ status }) => status === 'rejected')).toBe(true)
  })

  test('an acknowledgement of what was never sent ends the session', () => {
    const { session } = newSession()
    const link = new RecordingLink()
    session.attach(link, 0)
    session.receive(link, { ack: 5, body: undefined })
    expect(session.lostBecause?.message).toContain('acknowledges message 5')
    expect(link.sent.at(-1)?.body?.case).toBe('close')
  })

  test('acknowledges of its own after many messages, and at the next tick after few', () => {
    const { session, clock } = newSession()
    const link = new RecordingLink()
    session.attach(link, 0)
    session.handlers = { push: () => new Promise(() => {}) }
    for (let sequence = 1; sequence <= 64; sequence++) session.receive(link, push(sequence))
    expect(link.sent.map(({ ack, body }) => [ack, body?.case])).toEqual([[64, 'probe']])
    session.receive(link, push(65))
    clock.advance(500)
    expect(link.sent.at(-1)?.ack).toBe(65)
  })

  test('an idle session sends one probe in an interval, a busy one none', () => {
    const { session, clock } = newSession()
    const link = new RecordingLink()
    session.attach(link, 0)
    clock.advance(1500)
    expect(link.sent.length).toBe(3)
    // How the call ends is not looked at.
    session
      .gateway(echoGateway)
      .push(1)
      .catch(() => {})
    clock.advance(500)
    expect(link.sent.map(({ body }) => body?.case)).toEqual(['probe', 'probe', 'probe', 'call'])
    session.close('test is over')
    clock.advance(5000)
    expect(link.sent.length).toBe(5)
    expect(clock.nextDueInMs()).toBeUndefined()
  })

  test('a listener that throws keeps nobody from hearing of the loss', () => {
    const { session } = newSession()
    const heard: string[] = []
    session.onLost(() => {
      throw new Error('listener')
    })
    session.onLost(cause => heard.push(cause.code))
    session.close('over')
    session.onLost(cause => heard.push(cause.code))
    expect(heard).toEqual(['rpc.session-lost', 'rpc.session-lost'])
  })

  test('answers of a lost session are not sent', async () => {
    const { session } = newSession()
    const link = new RecordingLink()
    session.attach(link, 0)
    const { promise, resolve } = Promise.withResolvers<number>()
    session.handlers = { push: () => promise }
    session.receive(link, push(1))
    session.abandon('gone')
    resolve(1)
    await promise
    expect(link.sent).toEqual([])
  })
})
