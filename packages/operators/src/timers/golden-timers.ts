import { readFileSync } from 'node:fs'
import { type ValueState, ValueStateDescriptor } from '@flink-ts/state'
import { expect } from 'vitest'
import { MAX_WATERMARK, MIN_WATERMARK } from '../contract/stream-operator.ts'
import type { Collector } from '../functions/collector.ts'
import type { KeyedProcessContext, KeyedProcessFunction, OnTimerContext } from '../functions/functions.ts'
import type { RuntimeContext } from '../functions/rich-function.ts'

type Time = number | 'MAX' | 'MIN'
/** One record of the script: what is done with timers of its key. */
export interface Element {
  id: string
  key: string
  ts: number
  ops: ['register' | 'delete', Time][]
}
interface Golden {
  input: (Element | { watermark: number })[]
  jobs: { output: { key: string; watermark: Time; timestamp: Time }[] }[]
}

/** A run of real Flink. */
export const golden = JSON.parse(
  readFileSync(new URL('./testdata/timers.json', import.meta.url), 'utf8'),
) as Golden
const ms = (time: Time): number => (time === 'MAX' ? MAX_WATERMARK : (time as number))
const shown = (time: number): Time => (time === MAX_WATERMARK ? 'MAX' : time === MIN_WATERMARK ? 'MIN' : time)

/** The function that the golden file describes. */
export class GoldenFunction implements KeyedProcessFunction<string, Element, unknown> {
  #count!: ValueState<number>
  readonly #repeated = new Set<string>()

  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor('count', 0))
  }

  processElement(element: Element, context: KeyedProcessContext<string>, out: Collector<unknown>): void {
    this.#count.update((this.#count.value() ?? 0) + 1)
    out({ event: 'element', id: element.id, ...this.#seen(context) })
    for (const [op, time] of element.ops) {
      if (op === 'register') context.timerService.registerEventTimeTimer(ms(time))
      else context.timerService.deleteEventTimeTimer(ms(time))
    }
  }

  onTimer(time: number, context: OnTimerContext<string>, out: Collector<unknown>): void {
    out.collect({ event: 'timer', timer: shown(time), ...this.#seen(context) })
    const timers = context.timerService
    if (time === 4000) timers.deleteEventTimeTimer(4002)
    if (time % 1000 === 500 && time < 20000) timers.registerEventTimeTimer(time + 1000)
    if (time % 1000 === 1) {
      timers.registerEventTimeTimer(time - 700)
      if (time % 5000 === 1 && !this.#repeated.has(context.currentKey)) {
        this.#repeated.add(context.currentKey)
        timers.registerEventTimeTimer(time)
      }
    }
    if (time === 13002) {
      timers.deleteEventTimeTimer(13100)
      this.#count.clear()
    }
  }

  #seen(context: KeyedProcessContext<string>): object {
    const watermark = shown(context.timerService.currentWatermark())
    return { key: context.currentKey, watermark, elementsOfKey: this.#count.value() }
  }
}

/** Expects what real Flink's run gives, key by key. */
export function expectGolden(emitted: readonly { value: unknown; timestamp: number }[], where: string): void {
  const actual = emitted.map(({ value, timestamp }) => ({
    type: 'out',
    ...(value as { key: string }),
    timestamp: shown(timestamp),
  }))
  const expected = golden.jobs[0]?.output ?? []
  expect(actual.length, where).toBe(expected.length)
  for (const key of new Set(expected.map(entry => entry.key))) {
    const ofKey = (entries: readonly { key: string }[]) => entries.filter(entry => entry.key === key)
    expect(ofKey(actual), where).toEqual(ofKey(expected))
  }
}
