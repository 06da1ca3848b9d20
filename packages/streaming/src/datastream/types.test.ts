import {
  type KeyedProcessFunction,
  OutputTag,
  type RuntimeContext,
  type StateOf,
  TumblingEventTimeWindows,
  WatermarkStrategy,
} from '@flink-ts/operators'
import { type ValueState, ValueStateDescriptor } from '@flink-ts/state'
import { expectTypeOf, test } from 'vitest'
import { planned } from '../graph/fake-context.ts'
import type { DataStream } from './data-stream.ts'

interface Flight {
  origin: string
  delay: number
  date: Date
}

test('types are inferred from end to end', () =>
  planned(env => {
    const flights = env.fromElements<Flight>({ origin: 'STL', delay: 5, date: new Date(0) })
    const late = flights.filter(flight => flight.delay > 15)
    expectTypeOf(late).toExtend<DataStream<Flight>>()
    const days = late
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forMonotonousTimestamps<Flight>().withTimestampAssigner(flight =>
          flight.date.getTime(),
        ),
      )
      .keyBy(flight => flight.origin)
      .window(TumblingEventTimeWindows.of('1 d'))
      .aggregate(
        {
          createAccumulator: () => ({ flights: 0, sum: 0 }),
          add: (flight, acc) => {
            acc.flights++
            acc.sum += flight.delay
            return acc
          },
          getResult: acc => ({ flights: acc.flights, mean: acc.sum / acc.flights }),
        },
        (origin, window, result) => ({ origin, day: window.start, ...result }),
      )
    expectTypeOf(days).toExtend<DataStream<{ origin: string; day: number; flights: number; mean: number }>>()
    expectTypeOf(days.executeAndCollect).returns.resolves.toExtend<{ mean: number }[]>()

    const words = env.fromElements('a b').flatMap(line => line.split(' '))
    expectTypeOf(words).toExtend<DataStream<string>>()
    const lengths = env.fromElements('a b').flatMap<number>((line, out) => out(line.length))
    expectTypeOf(lengths).toExtend<DataStream<number>>()
    const strings = env.fromElements<string | number>('a', 1).filter(value => typeof value === 'string')
    expectTypeOf(strings).toExtend<DataStream<string>>()
    const tag = new OutputTag<{ reason: string }>('rejected')
    expectTypeOf(words.getSideOutput(tag)).toExtend<DataStream<{ reason: string }>>()
    const count: KeyedProcessFunction<string, Flight, number> = {
      processElement: (f, _c, out) => out.collect(f.delay),
    }
    expectTypeOf(flights.keyBy(flight => flight.origin).process(count)).toExtend<DataStream<number>>()
    flights.keyBy(flight => [flight.origin, flight.delay])
    flights.keyBy(flight => ({ origin: flight.origin, date: flight.date }))
  }))

// Never called: what the compiler says is the test.
export function valueStates(context: RuntimeContext): void {
  const withDefault = new ValueStateDescriptor('count', 0)
  expectTypeOf(context.getState(withDefault).value).returns.toEqualTypeOf<number>()
  expectTypeOf<StateOf<typeof withDefault>['value']>().returns.toEqualTypeOf<number>()
  expectTypeOf(
    context.getState(new ValueStateDescriptor<string>('name', '')).value,
  ).returns.toEqualTypeOf<string>()
  const without = new ValueStateDescriptor<Flight>('last')
  expectTypeOf(context.getState(without).value).returns.toEqualTypeOf<Flight | undefined>()
  const never = new ValueStateDescriptor<number>('n', undefined, {})
  expectTypeOf(context.getState(never).value).returns.toEqualTypeOf<number | undefined>()
  // Whoever does not care writes ValueState<T>.
  const plain: ValueState<number> = context.getState(new ValueStateDescriptor('count', 0))
  expectTypeOf(plain.value).returns.toEqualTypeOf<number | undefined>()
  const inferred: ValueState<Flight> = context.getState(new ValueStateDescriptor('last'))
  expectTypeOf(inferred.update).parameter(0).toEqualTypeOf<Flight>()
}

// Never called: what must not compile.
export function mustNotCompile(flights: DataStream<Flight>): void {
  // @ts-expect-error: no such field
  flights.map(flight => flight.orgin)
  // @ts-expect-error: no such field after map
  flights.map(flight => ({ from: flight.origin })).filter(entry => entry.origin === 'STL')
  // @ts-expect-error: a key must not be undefined
  flights.keyBy(flight => (flight.delay > 0 ? flight.origin : undefined))
  // @ts-expect-error: a key must not be a function
  flights.keyBy(() => () => 1)
  // @ts-expect-error: reduce keeps the type
  flights.keyBy(flight => flight.origin).reduce(left => left.origin)
  // @ts-expect-error: streams of different types
  flights.union(flights.map(flight => flight.delay))
  // @ts-expect-error: a timestamp is a number, not a Date
  WatermarkStrategy.noWatermarks<Flight>().withTimestampAssigner(flight => flight.date)
  flights
    .keyBy(flight => flight.origin)
    .window(TumblingEventTimeWindows.of('1 d'))
    .aggregate(
      { createAccumulator: () => 0, add: (flight, n) => n + flight.delay, getResult: n => n },
      // @ts-expect-error: the result is a number
      (_origin, _window, result) => result.mean,
    )
}
