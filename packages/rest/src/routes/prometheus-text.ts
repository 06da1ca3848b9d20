/** Labels by name. */
export type Labels = Readonly<Record<string, string | number>>

const QUANTILES: Readonly<Record<string, string>> = {
  median: '0.5',
  p75: '0.75',
  p90: '0.9',
  p95: '0.95',
  p98: '0.98',
  p99: '0.99',
  p999: '0.999',
}
const QUANTILE = new RegExp(`^(.+)_(${Object.keys(QUANTILES).join('|')})$`)
const CHUNK_LINES = 1000

interface Family {
  type: 'gauge' | 'summary'
  readonly lines: string[]
}

/**
 * Metrics in the text format of Prometheus 0.0.4, by the names that Flink's reporter gives them:
 * `flink_taskmanager_job_task_numRecordsIn`. Samples of one name stand together, as the format wants it.
 */
export class PrometheusText {
  readonly #families = new Map<string, Family>()

  /**
   * Adds one sample; what is no number is left out.
   * @param scope `taskmanager_job_task`
   * @param value a number, or a text of one; true is 1, false 0
   */
  add(scope: string, name: string, labels: Labels, value: number | string): void {
    const number = metricNumber(value)
    if (number === undefined) return
    const [, base, quantile] = QUANTILE.exec(name) ?? []
    const family = nameOf(scope, base ?? name)
    if (base === undefined) {
      this.#family(family, 'gauge').lines.push(`${family}${labelText(labels)} ${number}`)
      return
    }
    const parts = { ...labels, quantile: QUANTILES[quantile as string] as string }
    this.#family(family, 'summary').lines.push(`${family}${labelText(parts)} ${number}`)
  }

  /** The text, in parts of some lines each. */
  *parts(): Generator<string> {
    for (const [name, { type, lines }] of this.#families) {
      yield `# TYPE ${name} ${type}\n`
      for (let from = 0; from < lines.length; from += CHUNK_LINES)
        yield `${lines.slice(from, from + CHUNK_LINES).join('\n')}\n`
    }
  }

  #family(name: string, type: Family['type']): Family {
    let family = this.#families.get(name)
    if (family === undefined) {
      family = { type, lines: [] }
      this.#families.set(name, family)
    }
    return family
  }
}

function nameOf(scope: string, name: string): string {
  return `flink_${scope}_${name}`.replaceAll(/[^a-zA-Z0-9_:]/g, '_')
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => {
    const text = String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
    return `${name}="${text}"`
  })
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** The number that a metric has; undefined: it is none. */
export function metricNumber(value: number | string): number | undefined {
  if (value === 'true') return 1
  if (value === 'false') return 0
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}
