import { type Collector, TumblingEventTimeWindows } from 'flink-ts'
import type { Event } from '../model/events.ts'
import type { NexmarkInput, Query } from './query.ts'

/** A person who is new, or who sells. */
interface Seller {
  readonly id: number
  /** Undefined: of an auction. */
  readonly name: string | undefined
}

interface NewSeller {
  readonly id: number
  readonly name: string
  /** Start of the window. */
  readonly stime: number
}

/** Who began to sell within ten seconds of having come. Both kinds go one way, so that lateness is that of the source. */
export const q8: Query<NewSeller> = {
  name: 'q8',
  about: 'people who registered and opened an auction in the same window',
  build: ({ events, parallelism }: NexmarkInput) =>
    events
      .flatMap(({ event_type, person, auction }: Event, out: Collector<Seller>) => {
        if (event_type === 2) return
        if (person !== undefined) out({ id: person.id, name: person.name })
        if (auction !== undefined) out({ id: auction.seller, name: undefined })
      })
      .setParallelism(parallelism)
      .keyBy(seller => seller.id)
      .window(TumblingEventTimeWindows.of('10 s'))
      .aggregate(
        {
          createAccumulator: () => ({ name: undefined as string | undefined, sells: false }),
          add: ({ name }, seen) => {
            if (name === undefined) seen.sells = true
            else seen.name = name
            return seen
          },
          getResult: ({ name, sells }) => (sells ? name : undefined),
        },
        (id, window, name) => ({ id, name, stime: window.start }),
      )
      .filter((seller): seller is NewSeller => seller.name !== undefined),
}
