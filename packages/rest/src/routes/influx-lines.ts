import { type Labels, metricNumber } from './prometheus-text.ts'

/** Parts of one metric: fields of one point. */
const PART = /^(.+)_(count|min|max|mean|stddev|median|p75|p90|p95|p98|p99|p999)$/

/**
 * Metrics in the line protocol of InfluxDB, as Flink's reporter has them: the measurement is scope and name
 * (`taskmanager_job_task_numRecordsIn`), labels are tags, the field is `value`, of histograms their parts.
 */
export class InfluxLines {
  readonly #points = new Map<string, string[]>()

  /** Adds one sample; what is no number is left out. */
  add(scope: string, name: string, labels: Labels, value: number | string): void {
    const number = metricNumber(value)
    if (number === undefined) return
    const [, base = name, part = 'value'] = PART.exec(name) ?? []
    const tags = Object.entries(labels)
      .filter(([, text]) => text !== '')
      .map(([label, text]) => `,${escaped(label)}=${escaped(String(text))}`)
      .join('')
    const series = `${escapedName(`${scope}_${base}`)}${tags}`
    const fields = this.#points.get(series) ?? []
    fields.push(`${part}=${number}`)
    this.#points.set(series, fields)
  }

  /** The lines, in parts of at most so many points each. */
  *parts(points: number, epochMs: number): Generator<string> {
    let lines: string[] = []
    for (const [series, fields] of this.#points) {
      lines.push(`${series} ${fields.join(',')} ${epochMs}`)
      if (lines.length < points) continue
      yield `${lines.join('\n')}\n`
      lines = []
    }
    if (lines.length > 0) yield `${lines.join('\n')}\n`
  }
}

/** Lines cannot hold line breaks, and a backslash at the end would take the comma behind it. */
function plain(text: string): string {
  return text.replaceAll(/[\r\n]/g, ' ').replace(/\\+$/, '')
}

function escapedName(text: string): string {
  return plain(text).replaceAll(/[, ]/g, '\\$&')
}

function escaped(text: string): string {
  return plain(text).replaceAll(/[,= ]/g, '\\$&') || '-'
}
