import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ApiError, getTail } from '../api/client.ts'
import { poll, refreshMs } from '../api/poll.ts'
import { type LogLine, logLines } from '../model/log-lines.ts'
import { Empty, Panel } from './parts.tsx'

/** How much of the end of a file is shown. */
const TAIL_BYTES = 512 * 1024

/** The end of a log, following it. Lines of JSON are written as text. */
export function LogView({ path, title }: { path: string; title: string }) {
  const [text, setText] = useState<string | ApiError | undefined>()
  const [filter, setFilter] = useState('')
  const [follow, setFollow] = useState(true)
  const box = useRef<HTMLDivElement>(null)
  const everyMs = refreshMs.value
  useEffect(() => {
    setText(undefined)
    return poll(
      signal => getTail(path, TAIL_BYTES, signal),
      result => {
        setText(before => (result instanceof ApiError && typeof before === 'string' ? before : result))
        return follow && !(result instanceof ApiError && result.status === 404)
      },
      everyMs,
    )
  }, [path, follow, everyMs])
  const lines = useMemo(() => (typeof text === 'string' ? logLines(text) : []), [text])
  const wanted = filter.toLowerCase()
  const shown = useMemo(
    () => (wanted === '' ? lines : lines.filter(line => line.raw.toLowerCase().includes(wanted))),
    [lines, wanted],
  )
  useEffect(() => {
    if (follow && box.current !== null && shown.length > 0) box.current.scrollTop = box.current.scrollHeight
  }, [shown, follow])
  const end = (
    <>
      <input
        type="search"
        placeholder="Filter lines"
        aria-label="Filter lines"
        value={filter}
        onInput={event => setFilter(event.currentTarget.value)}
      />
      <label>
        <input type="checkbox" checked={follow} onChange={event => setFollow(event.currentTarget.checked)} />{' '}
        Follow
      </label>
    </>
  )
  return (
    <Panel title={title} end={end}>
      {text === undefined && <Empty>Loading …</Empty>}
      {text instanceof ApiError && (
        <Empty>{text.unknownPath ? 'This cluster does not give this file.' : text.message}</Empty>
      )}
      {text === '' && <Empty>Nothing has been written here.</Empty>}
      {typeof text === 'string' && text !== '' && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keyboard only if it can have the focus
        <div class="log" ref={box} tabIndex={0} role="log" aria-live="off" aria-label={title}>
          {shown.map(line => (
            <Line key={line.number} line={line} />
          ))}
        </div>
      )}
    </Panel>
  )
}

function Line({ line }: { line: LogLine }) {
  if (line.message === undefined) return <div>{line.raw}</div>
  return (
    <div class={line.level}>
      <span class="when">{line.time} </span>
      {line.level === 'warn' || line.level === 'error' ? `${line.level.toUpperCase()} ` : ''}
      {line.message}
      <span class="fields"> {line.fields}</span>
    </div>
  )
}
