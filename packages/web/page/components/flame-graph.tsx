import { useMemo, useRef, useState } from 'preact/hooks'
import { type FlameBar, type FlameNode, flameBars, hotFunctions } from '../model/flame.ts'
import { percent } from '../model/format.ts'

const ROW_PX = 19
const HOT = 15

/**
 * Where time goes, as bars that stand on what called them. A click or Enter makes a bar as wide as the whole; arrow keys
 * go from bar to bar. The same as a table is below.
 */
export function FlameGraph({ root }: { root: FlameNode }) {
  const [focus, setFocus] = useState<FlameNode>(root)
  const [filter, setFilter] = useState('')
  const shown = useMemo(() => (contains(root, focus) ? focus : root), [root, focus])
  const bars = useMemo(() => flameBars(shown), [shown])
  const hot = useMemo(() => hotFunctions(root, HOT), [root])
  const box = useRef<HTMLDivElement>(null)
  const wanted = filter.trim().toLowerCase()
  const depth = bars.reduce((most, bar) => Math.max(most, bar.depth), 0)
  const move = (event: KeyboardEvent, index: number): void => {
    const next = neighbour(bars, index, event.key)
    if (next === undefined) return
    event.preventDefault()
    box.current?.querySelector<HTMLButtonElement>(`[data-index="${next}"]`)?.focus()
  }
  return (
    <>
      <div class="choices-line">
        <input
          type="search"
          placeholder="Find a function"
          aria-label="Find a function"
          value={filter}
          onInput={event => setFilter(event.currentTarget.value)}
        />
        <button type="button" disabled={shown === root} onClick={() => setFocus(root)}>
          Show all
        </button>
      </div>
      <section
        class="flame"
        ref={box}
        aria-label="Flame graph"
        style={{ height: `${(depth + 1) * ROW_PX}px` }}
      >
        {bars.map(({ node, depth: row, from, to }, index) => (
          <button
            key={index}
            type="button"
            data-index={index}
            // One stop for the Tab key: arrow keys reach the others.
            tabIndex={index === 0 ? 0 : -1}
            class={wanted !== '' && node.name.toLowerCase().includes(wanted) ? 'found' : ''}
            style={{
              left: `${from * 100}%`,
              width: `${(to - from) * 100}%`,
              top: `${row * ROW_PX}px`,
              '--hue': String(hueOf(node.name)),
            }}
            title={`${node.name}\n${node.value} of ${root.value} samples, ${percent(node.value / Math.max(1, root.value))}`}
            onClick={() => setFocus(node)}
            onKeyDown={event => move(event, index)}
          >
            {to - from > 0.02 ? node.name : ''}
          </button>
        ))}
      </section>
      <table>
        <thead>
          <tr>
            <th class="num">By itself</th>
            <th class="num">With what it calls</th>
            <th>Function</th>
          </tr>
        </thead>
        <tbody>
          {hot.map(({ name, own, all }) => (
            <tr key={name}>
              <td class="num">{percent(own)}</td>
              <td class="num">{percent(all)}</td>
              <td class="wide mono">{name}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  )
}

function contains(root: FlameNode, wanted: FlameNode): boolean {
  return root === wanted || (root.children ?? []).some(child => contains(child, wanted))
}

function neighbour(bars: readonly FlameBar[], index: number, key: string): number | undefined {
  const at = bars[index]
  if (at === undefined) return undefined
  const beside = bars.flatMap((bar, i) => (bar.depth === at.depth ? [i] : []))
  const position = beside.indexOf(index)
  switch (key) {
    case 'ArrowUp':
      return at.parent < 0 ? undefined : at.parent
    case 'ArrowDown': {
      const child = bars.findIndex(({ parent }) => parent === index)
      return child < 0 ? undefined : child
    }
    case 'ArrowLeft':
      return beside[position - 1]
    case 'ArrowRight':
      return beside[position + 1]
    default:
      return undefined
  }
}

/** Warm colours, the same for a function wherever it is. */
function hueOf(name: string): number {
  let hash = 0
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0
  return 8 + (Math.abs(hash) % 46)
}
