import { ManualClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { Liveness, type Watched } from './liveness.ts'

class FakeConnection implements Watched {
  greeted = true
  heard = false
  probes = 0
  reason: string | undefined

  takeHeard(): boolean {
    const { heard } = this
    this.heard = false
    return heard
  }

  probe(): void {
    this.probes++
  }

  fail(reason: string): void {
    this.reason = reason
  }
}

/** Whose process may have stood still. */
class JumpingClock extends ManualClock {
  jumpedMs = 0

  override monotonicMs(): number {
    return super.monotonicMs() + this.jumpedMs
  }
}

function setup(...connections: FakeConnection[]) {
  const clock = new JumpingClock(0)
  const liveness = new Liveness<FakeConnection>({ intervalMs: 500, timeoutMs: 5000 }, { clock })
  liveness.start(() => connections.filter(({ reason }) => reason === undefined))
  const pass = (ms: number, each: () => void = () => {}): void => {
    for (let at = 0; at < ms; at += 100) {
      each()
      clock.advance(100)
    }
  }
  return { clock, liveness, pass }
}

test('a silent connection is lost after the timeout, one that says something is not', () => {
  const [silent, talking] = [new FakeConnection(), new FakeConnection()]
  const { pass } = setup(silent, talking)
  pass(5400, () => {
    talking.heard = true
  })
  expect(silent.reason).toBeUndefined()
  pass(200, () => {
    talking.heard = true
  })
  expect(silent.reason).toBe('nothing was heard from it for 5000 ms')
  pass(60_000, () => {
    talking.heard = true
  })
  expect(talking.reason).toBeUndefined()
  expect(talking.probes).toBeGreaterThan(100)
})

test('one that was not greeted yet is left to the handshake', () => {
  const connection = new FakeConnection()
  connection.greeted = false
  const { pass } = setup(connection)
  pass(60_000)
  expect(connection).toMatchObject({ probes: 0, reason: undefined })
  connection.greeted = true
  pass(5000)
  expect(connection.reason).toBeUndefined()
  pass(1000)
  expect(connection.reason).toBeDefined()
})

test('a process that stood still itself does not blame the others', () => {
  const connection = new FakeConnection()
  const { clock, pass } = setup(connection)
  pass(4000)
  // What came meanwhile was not read yet.
  clock.jumpedMs = 20_000
  pass(500)
  expect(connection.reason).toBeUndefined()
  pass(5500)
  expect(connection.reason).toBeDefined()
})

test('after stop nothing is probed', () => {
  const connection = new FakeConnection()
  const { liveness, pass } = setup(connection)
  liveness.stop()
  pass(10_000)
  expect(connection).toMatchObject({ probes: 0, reason: undefined })
})
