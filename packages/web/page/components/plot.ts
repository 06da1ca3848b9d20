import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

/** Makes an empty plot of lines in an element, in the colours of the page. */
export function createPlot(
  element: HTMLElement,
  names: readonly string[],
  colours: readonly string[],
  heightPx: number,
  write: (value: number | undefined) => string,
): uPlot {
  const style = getComputedStyle(document.documentElement)
  const [text, line] = [style.getPropertyValue('--muted'), style.getPropertyValue('--line')]
  const axis = {
    stroke: text,
    grid: { stroke: line, width: 1 },
    ticks: { show: false },
    font: '11px system-ui',
  }
  return new uPlot(
    {
      width: element.clientWidth,
      height: heightPx,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      padding: [10, 8, 0, 0],
      scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
      axes: [
        { ...axis, grid: { show: false }, space: 70, values: (_plot, values) => values.map(clock) },
        { ...axis, size: 58, space: 34, values: (_plot, values) => values.map(value => write(value)) },
      ],
      series: [
        {},
        ...names.map((label, index) => ({
          label,
          stroke: colours[index] ?? text,
          width: 1.5,
          points: { show: false },
        })),
      ],
    },
    [[]],
    element,
  )
}

function clock(seconds: number): string {
  return new Date(seconds * 1000).toTimeString().slice(0, 8)
}
