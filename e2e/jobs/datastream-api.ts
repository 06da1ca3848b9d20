// A job for each part of the DataStream API, each with a failure after its first checkpoint. Prints what they give.
import {
  type AsyncKeyedContext,
  type AsyncKeyedProcessFunction,
  AsyncRetryStrategies,
  AverageAccumulator,
  type BroadcastContext,
  type Collector,
  type DataStream,
  type FunctionInitializationContext,
  IntCounter,
  type KeyedCoProcessFunction,
  type KeyedProcessContext,
  type KeyedReadOnlyContext,
  type ListState,
  ListStateDescriptor,
  MapStateDescriptor,
  type OperatorListState,
  RestartStrategies,
  type RuntimeContext,
  SlidingEventTimeWindows,
  StreamExecutionEnvironment,
  TumblingEventTimeWindows,
  type ValueState,
  ValueStateDescriptor,
  WatermarkStrategy,
} from 'flink-ts'

const RECORDS = 1000
const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(Number(env.args[0]))
env.enableCheckpointing('20 ms')
env.setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 0))

/** Passes records on. In the first attempt one of them waits for a checkpoint, and fails then. */
class FailOnce<T> {
  #first = false
  #seen = 0
  #whenComplete: () => void = () => {}

  open(context: RuntimeContext): void {
    this.#first = context.attemptNumber === 0
    const restored = context.getIntCounter('restored')
    if (!this.#first && context.subtaskIndex === 0) restored.add(1)
  }

  async map(value: T): Promise<T> {
    if (this.#first && ++this.#seen === 100) {
      await new Promise<void>(resolve => {
        this.#whenComplete = resolve
      })
      throw new Error('on purpose')
    }
    return value
  }

  notifyCheckpointComplete(): void {
    this.#whenComplete()
  }
}

interface Event {
  readonly key: number
  readonly n: number
  readonly time: number
}

/** Numbers with event times `n * stepMs`, and a failure on the way. */
function events(stepMs: number): DataStream<Event> {
  return env
    .fromSequence(1, RECORDS)
    .map(n => ({ key: n % 7, n, time: n * stepMs }))
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forMonotonousTimestamps<Event>().withTimestampAssigner(event => event.time),
    )
    .mapAsync(new FailOnce<Event>(), { capacity: 10 })
}

const byKey = (event: Event): number => event.key
const results: Record<string, unknown> = {}

/** The last number of the other side of each key, and how many came from both. */
class CountBoth implements KeyedCoProcessFunction<number, Event, Event, string> {
  #count!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor('count', 0))
  }

  processElement1(_event: Event, context: KeyedProcessContext<number>, out: Collector<string>): void {
    this.#add(context, out)
  }

  processElement2(_event: Event, context: KeyedProcessContext<number>, out: Collector<string>): void {
    this.#add(context, out)
  }

  #add(context: KeyedProcessContext<number>, out: Collector<string>): void {
    const count = (this.#count.value() ?? 0) + 1
    this.#count.update(count)
    out(`${context.currentKey} ${count}`)
  }
}
results['connected'] = await events(10)
  .keyBy(byKey)
  .connect(events(3).keyBy(byKey))
  .process(new CountBoth())
  .executeAndCollect('connected')

results['interval join'] = await events(10)
  .keyBy(byKey)
  .intervalJoin(events(3).keyBy(byKey))
  .between(-50, 20)
  .process((left, right) => `${left.n} ${right.n}`)
  .executeAndCollect('interval join')

results['window join'] = await events(10)
  .join(events(3))
  .where(byKey)
  .equalTo(byKey)
  .window(SlidingEventTimeWindows.of(200, 100))
  .apply((left, right) => `${left.n} ${right.n}`)
  .executeAndCollect('window join')

results['co-group'] = await events(10)
  .coGroup(events(3))
  .where(byKey)
  .equalTo(byKey)
  .window(TumblingEventTimeWindows.of(500))
  .apply((left, right) => [`${(left[0] ?? right[0])?.key} ${left.length} ${right.length}`])
  .executeAndCollect('co-group')

const limits = new MapStateDescriptor<string, number>('limits')
const waiting = new ListStateDescriptor<number>('waiting')
class AboveLimit {
  #waiting!: ListState<number>

  open(context: RuntimeContext): void {
    this.#waiting = context.getListState(waiting)
  }

  processElement(event: Event, context: KeyedReadOnlyContext<number>, out: Collector<number>): void {
    const limit = context.getBroadcastState(limits).get('limit')
    if (limit === undefined) this.#waiting.add(event.n)
    else {
      for (const n of [...this.#waiting.get(), event.n]) if (n > limit) out(n)
      this.#waiting.clear()
    }
  }

  processBroadcastElement(limit: number, context: BroadcastContext): void {
    context.getBroadcastState(limits).put('limit', limit)
  }
}
results['broadcast'] = await events(1)
  .keyBy(byKey)
  .connect(env.fromElements(500).broadcast(limits))
  .process(new AboveLimit())
  .executeAndCollect('broadcast')

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
for (const ordered of [true, false]) {
  results[`async ${ordered ? 'ordered' : 'unordered'}`] = await events(1)
    .mapAsync(
      async (event, { attempt }) => {
        if (event.n % 10 === 0) await later(event.n % 3)
        if (event.n % 100 === 0 && attempt === 1) throw new Error('the service is busy')
        return event.n * 2
      },
      { ordered, capacity: 20, timeout: '30 s', retry: AsyncRetryStrategies.fixedDelay(2, '1 ms') },
    )
    .executeAndCollect('async')
}

/** Counts each key around a wait; every hundredth record has a timer, which counts too. */
class CountLater implements AsyncKeyedProcessFunction<number, Event, string> {
  async processElement(event: Event, context: AsyncKeyedContext<number>, out: Collector<string>) {
    const count = context.getState(new ValueStateDescriptor('count', 0))
    const before = count.value() ?? 0
    if (event.n % 10 === 0) await later(1)
    count.update(before + 1)
    if (event.n % 100 === 0) context.timerService.registerEventTimeTimer(event.time + 50)
    out(`${context.currentKey} ${before + 1}`)
  }

  async onTimer(_timestamp: number, context: AsyncKeyedContext<number>, out: Collector<string>) {
    const count = context.getState(new ValueStateDescriptor('count', 0))
    await later(1)
    count.update((count.value() ?? 0) + 1)
    out(`${context.currentKey} ${count.value()}`)
  }
}
results['async keyed'] = await events(1)
  .keyBy(byKey)
  .asyncProcess(new CountLater(), { capacity: 20, timeout: '30 s' })
  .executeAndCollect('async keyed')

results['rolling'] = await events(1)
  .map(event => ({ key: event.key, count: 1, best: event.n }))
  .keyBy(event => event.key)
  .sum('count')
  .project('key', 'count')
  .map(({ key, count }) => `${key} ${count}`)
  .executeAndCollect('rolling')

const loop = events(1)
  .map(({ n }) => ({ n, rest: n, steps: 0 }))
  .iterate({ maxWait: '1 s' })
const stepped = loop.map(({ n, rest, steps }) => ({ n, rest: Math.floor(rest / 2), steps: steps + 1 }))
loop.closeWith(stepped.filter(({ rest }) => rest > 0))
results['iteration'] = await stepped
  .filter(({ rest }) => rest === 0)
  .map(({ n, steps }) => `${n} ${steps}`)
  .executeAndCollect('iteration')

/** Holds records back in state that belongs to no key, and gives them in pairs. */
class Pairs {
  #held: number[] = []
  #state: OperatorListState<number> | undefined
  #sum: IntCounter | undefined
  #mean: AverageAccumulator | undefined

  initializeState(context: FunctionInitializationContext): void {
    this.#state = context.getListState(new ListStateDescriptor<number>('held'))
    this.#held = [...this.#state.get()]
  }

  open(context: RuntimeContext): void {
    this.#sum = context.addAccumulator('sum', new IntCounter())
    this.#mean = context.addAccumulator('mean', new AverageAccumulator())
  }

  flatMap(event: Event): number[] {
    this.#sum?.add(event.n)
    this.#mean?.add(event.n)
    this.#held.push(event.n)
    return this.#held.length < 2 ? [] : this.#held.splice(0)
  }

  snapshotState(): void {
    this.#state?.update(this.#held)
  }
}
events(1)
  .flatMap<number>(new Pairs())
  .filter(() => false)
  .print()
const { accumulators } = await env.execute('accumulators')
results['accumulators'] = accumulators
console.log(JSON.stringify(results))
