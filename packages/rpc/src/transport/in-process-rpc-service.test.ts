import { ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SessionSettings } from '../rpc-options.ts'
import { EchoEndpoint, EchoHandlers, echoGateway, testProcess } from '../testing/echo.ts'
import { InProcessNetwork } from './in-process-network.ts'
import { InProcessRpcService } from './in-process-rpc-service.ts'

/** Two processes under virtual time, with a session from `a` to the endpoint of `b`. */
async function world(settings: Partial<SessionSettings> = {}, nextLatencyMs = () => 0) {
  const clock = new ManualClock()
  let opened = false
  const latencyMs = () => (opened ? nextLatencyMs() : 0)
  const network = new InProcessNetwork({ clock, latencyMs })
  const node = (name: string): InProcessRpcService =>
    new InProcessRpcService(
      { ...testProcess(name), address: name, settings },
      { network, clock, random: new SeededRandom(name.charCodeAt(0)), logger: nullLogger },
    )
  const a = node('a')
  const b = node('b')
  const endpoint = new EchoEndpoint()
  b.serve(endpoint)
  const handlers = new EchoHandlers()
  const session = await a.connect('b', 'echo', { name: 'tester', handlers: () => handlers })
  const accepted = endpoint.sessions[0]
  if (accepted === undefined) throw new Error('no session')
  opened = true
  /** Lets virtual time pass in steps of 10 ms, with all that follows from each. */
  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      clock.advance(10)
      await network.settle()
    }
  }
  return { clock, network, a, b, node, endpoint, handlers, session, accepted, pass }
}

/** What a promise has come to, without waiting for it. */
async function stateOf(promise: Promise<unknown>): Promise<string> {
  const pending = Symbol('pending')
  const first = await Promise.race([promise, Promise.resolve(pending)]).catch(
    (error: Error & { code?: string }) => error,
  )
  return first === pending
    ? 'pending'
    : first instanceof Error
      ? ((first as { code?: string }).code ?? first.message)
      : 'done'
}

describe('InProcessRpcService', () => {
  test('isolates what is passed, as between processes', async () => {
    const { session } = await world()
    const value = { list: [1, undefined, -0], when: new Date(3) }
    const answer = await session.gateway(echoGateway).echo(value)
    expect(answer).toStrictEqual(value)
    expect(answer).not.toBe(value)
    await expect(session.gateway(echoGateway).echo(() => 1)).rejects.toMatchObject({
      code: 'rpc.not-plain-data',
    })
  })

  test('delivery is never in the turn of the call', async () => {
    const { session, endpoint } = await world()
    const answer = session.gateway(echoGateway).push(1)
    expect(endpoint.handlers.pushed).toEqual([])
    await answer
    expect(endpoint.handlers.pushed).toEqual([1])
  })

  test('a broken link is bridged at once', async () => {
    const { session, accepted, network, endpoint } = await world()
    const gateway = session.gateway(echoGateway)
    const before = gateway.push(1)
    network.breakLinks('a', 'b')
    const after = gateway.push(2)
    expect(await Promise.all([before, after])).toEqual([1, 2])
    expect(endpoint.handlers.pushed).toEqual([1, 2])
    expect(session.lost || accepted.lost).toBe(false)
  })

  test('a link that stays cut loses the session on both sides, after the resume timeout', async () => {
    const { session, accepted, network, pass } = await world()
    const hanging = session.gateway(echoGateway).hang()
    const hangingBack = accepted.gateway(echoGateway).hang()
    network.cut('a', 'b')
    await pass(490)
    expect(session.lost || accepted.lost).toBe(false)
    await pass(20)
    await expect(hanging).rejects.toMatchObject({ code: 'rpc.session-lost', data: { call: 'hang' } })
    await expect(hangingBack).rejects.toMatchObject({ code: 'rpc.session-lost' })
  })

  test('a cut that heals in time costs nothing', async () => {
    const { session, accepted, network, pass, endpoint } = await world()
    network.cut('a', 'b')
    const answers = [1, 2, 3].map(n => session.gateway(echoGateway).push(n))
    await pass(250)
    network.heal('a', 'b')
    await pass(250)
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
    expect(endpoint.handlers.pushed).toEqual([1, 2, 3])
    expect(session.lost || accepted.lost).toBe(false)
  })

  test('silence loses the session on both sides, after the heartbeat timeout', async () => {
    const { session, accepted, network, pass } = await world()
    await pass(20_000)
    expect(session.lost || accepted.lost).toBe(false)
    network.silence('a', 'b')
    await pass(4500)
    expect(session.lost || accepted.lost).toBe(false)
    await pass(1200)
    expect(session.lost && accepted.lost).toBe(true)
  })

  test('a short silence costs nothing', async () => {
    const { session, network, pass, endpoint } = await world()
    network.silence('a', 'b')
    const answers = [1, 2].map(n => session.gateway(echoGateway).push(n))
    // Silent as it is.
    network.silence('a', 'b')
    answers.push(session.gateway(echoGateway).push(3))
    await pass(3000)
    network.heal('a', 'b')
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
    expect(endpoint.handlers.pushed).toEqual([1, 2, 3])
  })

  test('what is sent to a frozen process arrives when it thaws, in order', async () => {
    const { session, network, pass, endpoint } = await world()
    network.freeze('b')
    const answers = [1, 2, 3].map(n => session.gateway(echoGateway).push(n))
    await pass(1000)
    expect(endpoint.handlers.pushed).toEqual([])
    network.thaw('b')
    expect(await Promise.all(answers)).toEqual([1, 2, 3])
    expect(endpoint.handlers.pushed).toEqual([1, 2, 3])
  })

  test('messages that take differently long arrive in order', async () => {
    const delays = [9, 1, 4, 0, 2]
    const { session, pass, endpoint } = await world({}, () => delays.shift() ?? 0)
    const pushed = [1, 2, 3, 4, 5].map(n => session.gateway(echoGateway).push(n))
    await pass(20)
    expect(await Promise.all(pushed)).toEqual([1, 2, 3, 4, 5])
    expect(endpoint.handlers.pushed).toEqual([1, 2, 3, 4, 5])
  })

  test('who stood still is not unjust to its peer', async () => {
    const { session, accepted, clock, network } = await world({ sessionResumeTimeoutMs: 100_000 })
    // The whole simulated machine sleeps: one jump, of which all ticks in between are missing.
    network.silence('a', 'b')
    const jump = clock.monotonicMs() + 60_000
    const monotonic = clock.monotonicMs.bind(clock)
    clock.monotonicMs = () => Math.max(monotonic(), jump)
    clock.advance(500)
    await network.settle()
    expect(session.lost || accepted.lost).toBe(false)
  })

  test('a peer that comes back after its session was given up learns so at once', async () => {
    const { session, accepted, network, pass } = await world({ sessionResumeTimeoutMs: 500 })
    network.cut('a', 'b')
    accepted.close('given up') // Which nobody hears.
    await pass(100)
    expect(session.lost).toBe(false)
    network.heal('a', 'b')
    await pass(200)
    await network.settle()
    expect(session.lost).toBe(true)
    const cause = await new Promise<Error>(resolve => session.onLost(resolve))
    expect(cause.message).toContain('was given up by the other side')
  })

  test('a killed process is noticed by the break of its links', async () => {
    const { session, accepted, b, pass } = await world()
    const hanging = session.gateway(echoGateway).hang()
    b.kill()
    expect(accepted.lost).toBe(true)
    await pass(600)
    expect(await stateOf(hanging)).toBe('rpc.session-lost')
  })

  test('a new process at the same address does not know the old sessions', async () => {
    const { session, b, node, network } = await world()
    b.kill()
    node('b').serve(new EchoEndpoint())
    await network.settle()
    expect(session.lost).toBe(true)
  })

  test('delay keeps the order, also when it becomes shorter', async () => {
    const { session, network, endpoint, pass } = await world()
    const gateway = session.gateway(echoGateway)
    network.delay('a', 'b', 100)
    const first = gateway.push(1)
    await pass(50)
    expect(endpoint.handlers.pushed).toEqual([])
    network.delay('a', 'b', 0)
    const second = gateway.push(2)
    await pass(100)
    expect(await Promise.all([first, second])).toEqual([1, 2])
    expect(endpoint.handlers.pushed).toEqual([1, 2])
  })

  test('an endpoint can call before the other side has its session', async () => {
    const { a, b } = await world()
    const handlers = new EchoHandlers()
    b.serve(new EchoEndpoint('eager', session => void session.gateway(echoGateway).push(7)))
    await a.connect('b', 'eager', { name: 'tester', handlers: () => handlers })
    await Promise.resolve()
    expect(handlers.pushed).toEqual([7])
  })

  test('handlers that cannot be made fail the connect, and the other side is told', async () => {
    const { a, endpoint, pass } = await world()
    const failure = a.connect('b', 'echo', {
      name: 'tester',
      handlers: () => {
        throw new Error('cannot')
      },
    })
    await expect(failure).rejects.toThrow('cannot')
    await pass(600)
    expect(endpoint.sessions[1]?.lost).toBe(true)
  })

  test('a peer that does not keep up is given up before it fills the memory', async () => {
    const { session, network } = await world({ maxMessageBytes: 2000, maxUnacknowledgedBytes: 10_000 })
    network.silence('a', 'b')
    const calls = Array.from({ length: 12 }, () => session.gateway(echoGateway).echo(Buffer.alloc(1000)))
    const outcomes = await Promise.allSettled(calls)
    expect(outcomes.every(outcome => outcome.status === 'rejected')).toBe(true)
    expect(session.lost).toBe(true)
  })

  test('under any sequence of breaks, delays and cuts, calls arrive once and in order while the session lives', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant('call' as const), times: fc.integer({ min: 1, max: 80 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant('pass' as const), times: fc.integer({ min: 1, max: 30 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('break' as const), times: fc.constant(1) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('silence' as const), times: fc.integer({ min: 1, max: 80 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('cut' as const), times: fc.integer({ min: 1, max: 80 }) }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant('delay' as const), times: fc.integer({ min: 0, max: 90 }) }),
      },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async steps => {
        const { session, accepted, network, endpoint, handlers, pass } = await world()
        const forth = session.gateway(echoGateway)
        const back = accepted.gateway(echoGateway)
        const sent = { forth: 0, back: 0 }
        const answers: Promise<unknown>[] = []
        for (const { do: what, times } of steps) {
          if (what === 'call') {
            for (let i = 0; i < times; i++) {
              // Calls on a lost session reject; how they end is not looked at.
              answers.push(forth.push(sent.forth++).catch(() => 'lost'))
              answers.push(back.push(sent.back++).catch(() => 'lost'))
            }
          } else if (what === 'pass') await pass(times * 10)
          else if (what === 'break') network.breakLinks('a', 'b')
          else if (what === 'delay') network.delay('a', 'b', times)
          else {
            if (what === 'cut') network.cut('a', 'b')
            else network.silence('a', 'b')
            await pass(times * 10)
            network.heal('a', 'b')
          }
        }
        await pass(3000)
        const prefix = (list: readonly number[]): number[] => list.map((_, i) => i)
        expect(endpoint.handlers.pushed).toEqual(prefix(endpoint.handlers.pushed))
        expect(handlers.pushed).toEqual(prefix(handlers.pushed))
        expect(session.lost).toBe(accepted.lost)
        if (!session.lost) {
          expect([endpoint.handlers.pushed.length, handlers.pushed.length]).toEqual([sent.forth, sent.back])
          expect(await Promise.all(answers)).not.toContain('lost')
        }
        await Promise.all(answers)
      }),
      { numRuns: 60 },
    )
  }, 60_000)
})
