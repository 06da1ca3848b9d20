import { SystemClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { type ScheduledTask, SlotLoop, type WakeSignal } from './slot-loop.ts'

class TestBell implements WakeSignal {
  rings = 0
  waits = 0
  #listener: { seen: number; run: () => void } | undefined
  version(): number {
    return this.rings
  }
  wait(seen: number, listener: () => void): void {
    this.waits++
    if (seen !== this.rings) setImmediate(listener)
    else this.#listener = { seen, run: listener }
  }
  ring(): void {
    this.rings++
    const listener = this.#listener
    this.#listener = undefined
    if (listener !== undefined) setImmediate(listener.run)
  }
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve))
const turns = async (n: number) => {
  for (let i = 0; i < n; i++) await turn()
}

function loopOf(step: () => boolean) {
  const bell = new TestBell()
  const crashes: unknown[] = []
  const loop = new SlotLoop({ clock: new SystemClock(), bell, onCrash: e => crashes.push(e) })
  const seen = { steps: 0, idleFlushes: 0 }
  const task: ScheduledTask = {
    step: () => {
      seen.steps++
      return step()
    },
    flushIdle: () => {
      seen.idleFlushes++
    },
    flushDue: () => {},
  }
  loop.add(task)
  return { loop, bell, seen, crashes }
}

test('parks when nothing can be done, and looks again after a ring', async () => {
  const { bell, seen } = loopOf(() => false)
  await turns(5)
  expect(seen.steps).toBe(1)
  expect(seen.idleFlushes).toBe(1)
  bell.ring()
  await turns(5)
  expect(seen.steps).toBe(2)
})

test('a ring while the task looks for work is not lost', async () => {
  let first = true
  const { bell, seen } = loopOf(() => {
    if (first) bell.ring()
    first = false
    return false
  })
  await turns(6)
  expect(seen.steps).toBe(2)
})

test('a busy task leaves room for mail and for the event loop', async () => {
  const { loop, seen, crashes } = loopOf(() => true)
  let delivered = 0
  loop.post(() => delivered++)
  await turns(4)
  expect(delivered).toBe(1)
  const before = seen.steps
  await turns(4)
  expect(seen.steps).toBeGreaterThan(before)
  await loop.yieldSlice()
  loop.stop()
  expect(crashes).toEqual([])
})

test('mail posted by mail runs without waiting for a ring', async () => {
  const { loop } = loopOf(() => false)
  await turns(3)
  const order: string[] = []
  loop.post(() => {
    order.push('a')
    loop.post(() => order.push('b'))
  })
  await turns(3)
  expect(order).toEqual(['a', 'b'])
})

test('one wait stays open across wake-ups by mail', async () => {
  const { loop, bell } = loopOf(() => false)
  await turns(3)
  loop.post(() => {})
  await turns(3)
  loop.post(() => {})
  await turns(3)
  expect(bell.waits).toBe(1)
})
