// Taxi rides and their fares: two streams, joined by the ride whichever of the two comes first.
import {
  type CoFlatMapFunction,
  type Collector,
  ParameterTool,
  type RuntimeContext,
  StreamExecutionEnvironment,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'

interface Ride {
  readonly rideId: number
  readonly from: string
}

interface Fare {
  readonly rideId: number
  readonly total: number
  readonly tip: number
}

/** Keeps whichever half comes first. */
class Enrich implements CoFlatMapFunction<Ride, Fare, string> {
  #ride!: ValueState<Ride>
  #fare!: ValueState<Fare>

  open(context: RuntimeContext): void {
    this.#ride = context.getState(new ValueStateDescriptor('ride'))
    this.#fare = context.getState(new ValueStateDescriptor('fare'))
  }

  flatMap1(ride: Ride, out: Collector<string>): void {
    const fare = this.#fare.value()
    if (fare === undefined) this.#ride.update(ride)
    else out(bill(ride, fare))
    this.#fare.clear()
  }

  flatMap2(fare: Fare, out: Collector<string>): void {
    const ride = this.#ride.value()
    if (ride === undefined) this.#fare.update(fare)
    else out(bill(ride, fare))
    this.#ride.clear()
  }
}

const bill = ({ rideId, from }: Ride, { total, tip }: Fare): string =>
  `ride ${rideId} from ${from}: ${total}, tip ${tip}`

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env.setParallelism(ParameterTool.fromArgs(env.args).getInt('parallelism', env.getParallelism()))
const places = ['Midtown', 'Harlem', 'SoHo']

const rides = env.fromSequence(0, 19).map((n): Ride => ({ rideId: n, from: places[n % 3] as string }))
const fares = env.fromSequence(0, 19).map((n): Fare => ({ rideId: 19 - n, total: 10 + n, tip: n % 4 }))

rides
  .keyBy(({ rideId }) => rideId)
  .connect(fares.keyBy(({ rideId }) => rideId))
  .flatMap(new Enrich())
  .print()

await env.execute('rides and fares')
