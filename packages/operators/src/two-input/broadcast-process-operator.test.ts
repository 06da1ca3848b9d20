import { MapStateDescriptor, ValueStateDescriptor } from '@flink-ts/state'
import { describe, expect, test } from 'vitest'
import type { KeyedBroadcastProcessFunction } from '../functions/broadcast-functions.ts'
import { OutputTag } from '../functions/collector.ts'
import type { RuntimeContext } from '../functions/rich-function.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { broadcastProcessOperator, keyedBroadcastProcessOperator } from './broadcast-process-operator.ts'

interface Rule {
  readonly id: string
  readonly above: number
}

const rules = new MapStateDescriptor<string, number>('rules')
const other = new MapStateDescriptor<string, number>('other')
const rejected = new OutputTag<string>('rejected')

describe('without keys', () => {
  const factory = broadcastProcessOperator<number, Rule, string>([rules], {
    processElement: (value, context, out) => {
      for (const [id, above] of context.getBroadcastState(rules).immutableEntries()) {
        if (value > above) out(`${id} ${value}`)
        else context.output(rejected, `${id} ${value} at ${context.timestamp()}`)
      }
    },
    processBroadcastElement: (rule, context) => {
      if (Number.isNaN(rule.above)) context.getBroadcastState(rules).remove(rule.id)
      else context.getBroadcastState(rules).put(rule.id, rule.above)
    },
  })

  test('rules come, go, and are there after a restore', async () => {
    const first = await new OperatorHarness(factory).open()
    first.push(1)
    first.pushSecond({ id: 'a', above: 5 })
    first.pushSecond({ id: 'b', above: 7 })
    first.push(6, 100)
    const restored = await first.snapshot(1)
    first.pushSecond({ id: 'a', above: Number.NaN })
    first.push(9)
    expect(first.values()).toEqual(['a 6', 'b 9'])
    expect(first.sideOutputs.get('rejected')?.map(({ value }) => value)).toEqual(['b 6 at 100'])
    const second = await new OperatorHarness(factory, { restored }).open()
    second.push(9)
    expect(second.values()).toEqual(['a 9', 'b 9'])
  })

  test('the side of the records cannot change it, and a state that was not declared is named', async () => {
    const wrong = broadcastProcessOperator<string, number, string>([rules], {
      processElement: (value, context) => {
        if (value === 'write')
          (context.getBroadcastState(rules) as unknown as Map<string, number>).set('x', 1)
        else context.getBroadcastState(other)
      },
      processBroadcastElement: () => {},
    })
    const harness = await new OperatorHarness(wrong).open()
    expect(() => harness.push('write')).toThrow(/not a function/)
    expect(() => harness.push('unknown')).toThrow(/'other', but the stream was broadcast with rules/)
  })
})

describe('with keys', () => {
  const last = new ValueStateDescriptor<number>('last')

  class Watch implements KeyedBroadcastProcessFunction<string, readonly [string, number], string, string> {
    #context: RuntimeContext | undefined

    open(context: RuntimeContext): void {
      this.#context = context
    }

    processElement(
      [, value]: readonly [string, number],
      context: Parameters<
        KeyedBroadcastProcessFunction<string, readonly [string, number], string, string>['processElement']
      >[1],
    ): void {
      this.#context?.getState(last).update(value)
      context.timerService.registerEventTimeTimer(value)
    }

    processBroadcastElement(
      value: string,
      context: Parameters<
        KeyedBroadcastProcessFunction<
          string,
          readonly [string, number],
          string,
          string
        >['processBroadcastElement']
      >[1],
      out: (value: string) => void,
    ): void {
      context.applyToKeyedState(last, (key, state) => {
        out(`${value} ${key}=${state.value()}`)
        if (value === 'clear') state.clear()
      })
    }

    onTimer(
      timestamp: number,
      context: Parameters<
        NonNullable<
          KeyedBroadcastProcessFunction<string, readonly [string, number], string, string>['onTimer']
        >
      >[1],
      out: (value: string) => void,
    ): void {
      out(`timer ${context.currentKey} ${timestamp} ${context.timeDomain} ${context.currentWatermark()}`)
    }
  }
  const factory = keyedBroadcastProcessOperator([rules], (v: readonly [string, number]) => v[0], new Watch())

  test('keyed state, timers, and all keys from the broadcast side', async () => {
    const first = await new OperatorHarness(factory).open()
    first.push(['x', 10])
    first.push(['y', 20])
    const restored = await first.snapshot(1)
    const harness = await new OperatorHarness(factory, { restored }).open()
    harness.pushSecond('show')
    harness.advance(15)
    harness.pushSecond('clear')
    harness.pushSecond('show')
    expect(harness.values()).toEqual([
      'show x=10',
      'show y=20',
      'timer x 10 event-time 15',
      'clear x=10',
      'clear y=20',
    ])
  })
})
