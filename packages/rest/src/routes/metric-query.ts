import { InvalidParameter } from '../errors.ts'
import type { MetricValues } from './task-metrics.ts'

/** Answers a list of ids without `get`, else those that were asked for and are there, with their values. */
export function selectMetrics(metrics: MetricValues, query: unknown): readonly object[] {
  const wanted = listOf(query, 'get')
  if (wanted === undefined) return Object.keys(metrics).map(id => ({ id }))
  return wanted.flatMap(id => (metrics[id] === undefined ? [] : { id, value: metrics[id] }))
}

const AGGREGATIONS = {
  min: (values: readonly number[]) => values.reduce((least, value) => Math.min(least, value)),
  max: (values: readonly number[]) => values.reduce((most, value) => Math.max(most, value)),
  avg: (values: readonly number[]) => sumOf(values) / values.length,
  sum: (values: readonly number[]) => sumOf(values),
  skew: skewOf,
}
type Aggregation = keyof typeof AGGREGATIONS

/**
 * Answers the same over several sources: by default all aggregations of each metric. What is no number has none.
 * @param each metrics of each source
 */
export function aggregateMetrics(each: readonly MetricValues[], query: unknown): readonly object[] {
  const wanted = listOf(query, 'get')
  const aggregations = (listOf(query, 'agg') ?? Object.keys(AGGREGATIONS)).map(aggregationOf)
  if (wanted === undefined) return [...new Set(each.flatMap(Object.keys))].map(id => ({ id }))
  return wanted.flatMap(id => {
    const values = each.map(metrics => Number(metrics[id] ?? Number.NaN)).filter(Number.isFinite)
    if (values.length === 0) return []
    return {
      id,
      ...Object.fromEntries(aggregations.map(name => [name, AGGREGATIONS[name](values)])),
    }
  })
}

/** The comma-separated values of a parameter, which may come several times; undefined: it is not there. */
export function listOf(query: unknown, name: string): readonly string[] | undefined {
  const given = (query as Readonly<Record<string, string | string[] | undefined>>)[name]
  if (given === undefined) return undefined
  return [given]
    .flat()
    .flatMap(part => part.split(','))
    .filter(part => part !== '')
}

/**
 * Which subtasks a parameter names: `0,2-4`; undefined: all.
 * @throws rest.invalid-parameter
 */
export function subtaskSelection(query: unknown): ((index: number) => boolean) | undefined {
  const ranges = listOf(query, 'subtasks')?.map(range => {
    const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? []
    if (from === undefined || Number(to) < Number(from))
      throw InvalidParameter({ name: 'subtasks', value: range, expected: 'numbers and ranges such as 0,2-4' })
    return { from: Number(from), to: Number(to) }
  })
  return ranges && (index => ranges.some(({ from, to }) => index >= from && index <= to))
}

function aggregationOf(name: string): Aggregation {
  const lower = name.toLowerCase()
  if (Object.hasOwn(AGGREGATIONS, lower)) return lower as Aggregation
  throw InvalidParameter({ name: 'agg', value: name, expected: `of ${Object.keys(AGGREGATIONS).join(', ')}` })
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** 0: all have the same; 100: one has everything. */
function skewOf(values: readonly number[]): number {
  const sum = sumOf(values)
  if (values.length < 2 || sum === 0) return 0
  const mean = sum / values.length
  const deviation = sumOf(values.map(value => Math.abs(value - mean)))
  return (100 * deviation * values.length) / (2 * sum * (values.length - 1))
}
