// The jobs of the golden file for operators of two inputs, by name.
import {
  type Collector,
  type DataStream,
  type KeyedProcessContext,
  OutputTag,
  SlidingEventTimeWindows,
  TumblingEventTimeWindows,
} from 'flink-ts'
import { lateRecords, Report, type Step, shown, stamped } from './elements.ts'

const pair = (left: Step, right: Step) => ({ type: 'join', left: left.id, right: right.id })
const LEFT_LATE = new OutputTag<Step>('left late')
const RIGHT_LATE = new OutputTag<Step>('right late')
const intervals = (
  left: DataStream<Step>,
  right: DataStream<Step>,
  exclusive: boolean,
): DataStream<object> => {
  const between = left
    .keyBy(step => step.key)
    .intervalJoin(right.keyBy(step => step.key))
    .between('-2 s', '3 s')
    .sideOutputLeftLateData(LEFT_LATE)
    .sideOutputRightLateData(RIGHT_LATE)
  const joined = (exclusive ? between.lowerBoundExclusive().upperBoundExclusive() : between).process<object>({
    processElement: (l, r, _context, out) => out(pair(l, r)),
  })
  return stamped(joined).union(
    lateRecords('leftLate', joined.getSideOutput(LEFT_LATE)),
    lateRecords('rightLate', joined.getSideOutput(RIGHT_LATE)),
  )
}
const coElement =
  (event: string) =>
  (step: Step, context: KeyedProcessContext<string>, out: Collector<object>): void => {
    out({ type: 'out', event, id: step.id, watermark: shown(context.timerService.currentWatermark()) })
    context.timerService.registerEventTimeTimer(step.ts + 1000)
  }
const key = (step: Step): string => step.key
const fiveSeconds = TumblingEventTimeWindows.of('5 s')

export const joins: Readonly<
  Record<string, (left: DataStream<Step>, right: DataStream<Step>) => DataStream<object>>
> = {
  'interval_-2s_+3s': (left, right) => intervals(left, right, false),
  'interval_-2s_+3s_exclusive': (left, right) => intervals(left, right, true),
  window_join_tumbling_5s: (left, right) =>
    stamped(
      left
        .join(right)
        .where(key)
        .equalTo(key)
        .window(fiveSeconds)
        .apply((l, r): object => pair(l, r)),
    ),
  window_join_sliding_6s_3s: (left, right) =>
    stamped(
      left
        .join(right)
        .where(key)
        .equalTo(key)
        .window(SlidingEventTimeWindows.of('6 s', '3 s'))
        .apply((l, r): object => pair(l, r)),
    ),
  cogroup_tumbling_5s: (left, right) =>
    stamped(
      left
        .coGroup(right)
        .where(key)
        .equalTo(key)
        .window(fiveSeconds)
        .apply((l, r): object[] => [
          {
            ...{ type: 'cogroup', key: (l[0] ?? r[0])?.key },
            ...{ left: l.map(({ id }) => id), right: r.map(({ id }) => id) },
          },
        ]),
    ),
  co_process_timers: (left, right) =>
    stamped(
      left
        .keyBy(key)
        .connect(right.keyBy(key))
        .process<object>({
          processElement1: coElement('left'),
          processElement2: coElement('right'),
          onTimer: (timer, context, out) => {
            const watermark = shown(context.timerService.currentWatermark())
            out({ type: 'out', event: 'timer', key: context.currentKey, timer, watermark })
          },
        }),
    ),
  union_tumbling_5s: (left, right) =>
    stamped(left.union(right).keyBy(key).window(fiveSeconds).process<object>(new Report())),
}
