import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'

interface Series {
  readonly name: string
  readonly values: readonly (number | undefined)[]
}

interface ChartProps {
  readonly title: string
  /** Milliseconds since the epoch. */
  readonly at: readonly number[]
  readonly series: readonly Series[]
  readonly write: (value: number | undefined) => string
}

const COLOURS: readonly string[] = [
  '#0f9d8f',
  '#d9730d',
  '#6a5acd',
  '#2f7de1',
  '#c0392b',
  '#7a8b00',
  '#a0522d',
  '#ad3f8f',
]
const HEIGHT_PX = 150
/** More lines than this can't be told apart. */
const MAX_SERIES = COLOURS.length

/** Lines over time. Drawn by uPlot, which is loaded with the first chart. */
export function Chart({ title, at, series, write }: ChartProps) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const shown = series.slice(0, MAX_SERIES)
  const names = shown.map(({ name }) => name).join('\n')
  const data = [at.map(ms => ms / 1000), ...shown.map(({ values }) => values.map(value => value ?? null))]
  const latest = useRef(data)
  latest.current = data
  useEffect(() => {
    const element = box.current
    if (element === null) return
    let gone = false
    const draw = async (): Promise<void> => {
      const { createPlot } = await import('./plot.ts')
      if (gone) return
      plot.current?.destroy()
      plot.current = createPlot(element, names.split('\n'), COLOURS, HEIGHT_PX, write)
      plot.current.setData(latest.current as uPlot.AlignedData)
    }
    // Without the library there is no chart; the numbers are in the tables.
    const redraw = (): void => void draw().catch(() => undefined)
    redraw()
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    scheme.addEventListener('change', redraw)
    const resized = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    )
    resized.observe(element)
    return () => {
      gone = true
      scheme.removeEventListener('change', redraw)
      resized.disconnect()
      plot.current?.destroy()
      plot.current = undefined
    }
  }, [names, write])
  useEffect(() => {
    plot.current?.setData(latest.current as uPlot.AlignedData)
  })
  return (
    <figure class="chart" style={{ margin: 0 }}>
      <figcaption class="caption">
        <b>{title}</b>
        <span class="muted num">{shown.length === 1 ? write(shown[0]?.values.at(-1)) : ''}</span>
      </figcaption>
      <div ref={box} role="img" aria-label={title} />
      {shown.length > 1 && (
        <div class="legend">
          {shown.map(({ name, values }, index) => (
            <span key={name} title={name} class="ellipsis">
              <i style={{ background: COLOURS[index] ?? '' }} />
              {write(values.at(-1))} {name}
            </span>
          ))}
        </div>
      )}
    </figure>
  )
}
