import { bestOf, type Measured, type Rates, type Ratio, ratesOfRounds, ratioOf } from './comparison.ts'
import type { Kind, KindRun } from './kinds.ts'
import type { MemoryUse } from './measured-run.ts'

/** What was measured of a query. */
export interface QueryFigures {
  readonly query: string
  readonly about: string
  /** By kind of run. */
  readonly rates: Readonly<Record<string, Rates>>
  /** Of the engine, by kind of run: the most of all rounds. */
  readonly memory: Readonly<Record<string, MemoryUse>>
  /** Of each kind of run of the engine to the loop. */
  readonly toLoop: readonly Ratio[]
  /** Of each kind of run of the engine to the best that Flink did at the same parallelism. */
  readonly toFlink: readonly Ratio[]
}

/** All kinds of run of a query follow one another in each round, so that what else the machine does meets all. */
export function figuresOf(
  head: Pick<QueryFigures, 'query' | 'about'>,
  kinds: readonly Kind[],
  { rounds, events }: { readonly rounds: number; readonly events: number },
): QueryFigures {
  const runs = new Map<Kind, KindRun[]>(kinds.map(kind => [kind, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [kind, ofKind] of runs) ofKind.push(kind.run({ query: head.query, events, seed: round + 1 }))
  }
  const measured = (kind: Kind): Measured => ({
    name: kind.name,
    rounds: (runs.get(kind) ?? []).map(run => run.rates),
  })
  const engines = kinds.filter(kind => kind.side === 'engine')
  const loop = kinds.find(kind => kind.side === 'loop')
  return {
    ...head,
    rates: Object.fromEntries(kinds.map(kind => [kind.name, ratesOfRounds(measured(kind))])),
    memory: Object.fromEntries(
      engines.flatMap(kind => {
        const memory = (runs.get(kind) ?? []).flatMap(run => run.memory ?? [])
        return memory.length === 0 ? [] : [[kind.name, mostOf(memory)]]
      }),
    ),
    toLoop: loop === undefined ? [] : engines.map(kind => ratioOf(measured(kind), measured(loop))),
    toFlink: engines.flatMap(kind => {
      const rivals = kinds.filter(
        ({ side, parallelism }) => side === 'flink' && parallelism === kind.parallelism,
      )
      const best = bestOf(rivals.map(measured))
      return best === undefined ? [] : [ratioOf(measured(kind), best)]
    }),
  }
}

const mostOf = (memory: readonly MemoryUse[]): MemoryUse => ({
  rssBytes: Math.max(...memory.map(({ rssBytes }) => rssBytes)),
  heapBytes: Math.max(...memory.map(({ heapBytes }) => heapBytes)),
})
