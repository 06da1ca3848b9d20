// Sales in several currencies, in euros: the rates are broadcast to every subtask, and sales wait for theirs.
import {
  type BroadcastContext,
  type Collector,
  type KeyedBroadcastContext,
  type KeyedBroadcastProcessFunction,
  type KeyedReadOnlyContext,
  type ListState,
  ListStateDescriptor,
  MapStateDescriptor,
  ParameterTool,
  type RuntimeContext,
  StreamExecutionEnvironment,
} from 'flink-ts'

interface Sale {
  readonly shop: string
  readonly amount: number
  readonly currency: string
}

interface Rate {
  readonly currency: string
  readonly euros: number
}

const rates = new MapStateDescriptor<string, number>('rates')
const waiting = new ListStateDescriptor<Sale>('waiting')

class ToEuros implements KeyedBroadcastProcessFunction<string, Sale, Rate, string> {
  #waiting!: ListState<Sale>

  open(context: RuntimeContext): void {
    this.#waiting = context.getListState(waiting)
  }

  processElement(sale: Sale, context: KeyedReadOnlyContext<string>, out: Collector<string>): void {
    const euros = context.getBroadcastState(rates).get(sale.currency)
    if (euros === undefined) this.#waiting.add(sale)
    else out(converted(sale, euros))
  }

  processBroadcastElement(rate: Rate, context: KeyedBroadcastContext<string>, out: Collector<string>): void {
    remember(rate, context)
    context.applyToKeyedState(waiting, (_shop, state) => {
      const sales = [...state.get()]
      for (const sale of sales) if (sale.currency === rate.currency) out(converted(sale, rate.euros))
      state.update(sales.filter(sale => sale.currency !== rate.currency))
    })
  }
}

function remember(rate: Rate, context: BroadcastContext): void {
  context.getBroadcastState(rates).put(rate.currency, rate.euros)
}

function converted(sale: Sale, euros: number): string {
  return `${sale.shop} sold for ${(sale.amount * euros).toFixed(2)} EUR`
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))

const ratesOfToday = env.fromElements<Rate>({ currency: 'USD', euros: 0.9 }, { currency: 'CHF', euros: 1.05 })
env
  .fromElements<Sale>(
    { shop: 'Rome', amount: 100, currency: 'USD' },
    { shop: 'Bern', amount: 20, currency: 'CHF' },
    { shop: 'Rome', amount: 10, currency: 'CHF' },
    { shop: 'Paris', amount: 50, currency: 'USD' },
  )
  .keyBy(sale => sale.shop)
  .connect(ratesOfToday.broadcast(rates))
  .process(new ToEuros())
  .print()

await env.execute('broadcast enrichment')
