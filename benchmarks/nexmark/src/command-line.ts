import { parseArgs } from 'node:util'
import { QUERIES } from './queries/all.ts'
import type { Query } from './queries/query.ts'

/** What `npm run nexmark` is to do. */
export interface CommandLine {
  /** At least one. */
  readonly queries: readonly Query[]
  readonly input: string
  readonly output: string
  /** Undefined: as the cluster is configured. */
  readonly parallelism: number | undefined
  /** Path of the side input of q13; undefined: one that is made up. */
  readonly sideInput: string | undefined
}

const USAGE =
  'npm run nexmark -- <query>... --input events.jsonl[.gz] --output <file or folder> [--parallelism N] [--side-input rows.csv]'

/** @throws RangeError that says what to change */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parsed(args)
  const { input, output } = values
  const queries = findQueries(positionals)
  if (input === undefined) throw wrong('--input is missing: the file of events')
  if (output === undefined) throw wrong('--output is missing: where the result goes')
  return {
    queries,
    input,
    output,
    parallelism: values.parallelism === undefined ? undefined : positive('--parallelism', values.parallelism),
    sideInput: values['side-input'],
  }
}

/** The queries of these names, `all` for all of them. @throws RangeError */
export function findQueries(names: readonly string[]): readonly Query[] {
  if (names.length === 0) throw wrong('the name of a query is missing')
  if (names.includes('all')) return QUERIES
  return [...new Set(names)].map(name => {
    const query = QUERIES.find(candidate => candidate.name === name)
    if (query !== undefined) return query
    throw wrong(`there is no query '${name}', but ${QUERIES.map(known => known.name).join(', ')}`)
  })
}

function parsed(args: readonly string[]) {
  try {
    const text = { type: 'string' } as const
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { input: text, output: text, parallelism: text, 'side-input': text },
    })
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw wrong(`${name} is '${value}', but must be a whole number from 1 on`)
}

const wrong = (what: string): RangeError => new RangeError(`nexmark: ${what}\n${USAGE}`)
