import { parseArgs } from 'node:util'
import { findQueries } from '../command-line.ts'
import type { FlinkForm } from '../peer/flink-peer.ts'
import type { Query } from '../queries/query.ts'

const PEERS = ['loop', 'flink'] as const
const FORMS: readonly FlinkForm[] = ['sql', 'datastream']
const COLLECTORS = ['Serial', 'Parallel', 'G1']

/** What `npm run bench -- nexmark` was asked for. */
export interface BenchOptions {
  readonly queries: readonly Query[]
  readonly peers: ReadonlySet<(typeof PEERS)[number]>
  readonly parallelisms: readonly number[]
  /** Of Flink: each is measured, the best counts. */
  readonly forms: readonly FlinkForm[]
  /** Of Flink, at parallelism 1 the first alone. */
  readonly collectors: readonly string[]
  /** Also latencies at half load. */
  readonly latency: boolean
}

/** @throws RangeError that says what there is */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      peer: { type: 'string', multiple: true, default: [] },
      parallelism: { type: 'string', default: '1,2' },
      form: { type: 'string', default: FORMS.join(',') },
      gc: { type: 'string', default: 'Parallel,G1' },
      latency: { type: 'boolean', default: false },
    },
  })
  const among = <T extends string>(
    option: string,
    all: readonly T[],
    texts: readonly string[],
  ): readonly T[] =>
    texts.map(text => {
      const found = all.find(one => one === text)
      if (found !== undefined) return found
      throw new RangeError(`--${option} is '${text}', but must be of ${all.join(', ')}`)
    })
  return {
    queries: findQueries(positionals.length === 0 ? ['all'] : positionals),
    peers: new Set(among('peer', PEERS, values.peer)),
    parallelisms: values.parallelism.split(',').map(text => {
      const parallelism = Number(text)
      if (Number.isInteger(parallelism) && parallelism > 0) return parallelism
      throw new RangeError(`--parallelism is '${values.parallelism}', but must be numbers like 1,2`)
    }),
    forms: among('form', FORMS, values.form.split(',')),
    collectors: among('gc', COLLECTORS, values.gc.split(',')),
    latency: values.latency,
  }
}
