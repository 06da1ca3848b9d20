import type { ComponentChildren } from 'preact'
import type { Answer } from '../api/poll.ts'
import { percent } from '../model/format.ts'
import type { Rates } from '../model/rates.ts'
import { href, route } from '../router.ts'

const TONES: Readonly<Record<string, string>> = {
  RUNNING: 'good',
  COMPLETED: 'good',
  FINISHED: 'info',
  FAILED: 'bad',
  FAILING: 'bad',
  RESTARTING: 'warn',
  CANCELED: 'warn',
  CANCELLING: 'warn',
  CANCELING: 'warn',
  IN_PROGRESS: 'info',
  DEPLOYING: 'info',
  INITIALIZING: 'info',
}

/** A state of a job, task or checkpoint. */
export function Badge({ state, text }: { state: string; text?: string }) {
  return <span class={`badge ${TONES[state.toUpperCase()] ?? ''}`}>{text ?? state.replaceAll('_', ' ')}</span>
}

/** How many tasks are in which state. */
export function TaskCounts({ tasks }: { tasks: Readonly<Record<string, number>> }) {
  const present = Object.entries(tasks).filter(
    ([state, count]) => count > 0 && state.toLowerCase() !== 'total',
  )
  return (
    <span class="chips">
      {present.map(([state, count]) => (
        <span key={state} title={`${count} ${state.toLowerCase()}`}>
          <Badge state={state.toUpperCase()} text={`${count} ${state.toLowerCase()}`} />
        </span>
      ))}
    </span>
  )
}

/** A box with a heading. */
export function Panel(props: {
  title?: string
  end?: ComponentChildren
  children: ComponentChildren
  label?: string
}) {
  const { title, end, children } = props
  return (
    <section class="panel" aria-label={props.label ?? title}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {end !== undefined && <div class="end">{end}</div>}
        </header>
      )}
      {children}
    </section>
  )
}

/** A number worth a place of its own. */
export function Tile({
  label,
  children,
  title,
}: {
  label: string
  children: ComponentChildren
  title?: string
}) {
  return (
    <div class="tile" title={title}>
      <div class="label">{label}</div>
      <div class="value">{children}</div>
    </div>
  )
}

/** What is said where nothing is to be seen. */
export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="empty">{children}</div>
}

/** Shows `children` of an answer once there is one; before, and where there is none, why. */
export function Shown<T>(props: {
  answer: Answer<T>
  what: string
  children: (data: T) => ComponentChildren
}) {
  const { answer, what, children } = props
  if (answer.data !== undefined) return <>{children(answer.data)}</>
  if (answer.error === undefined) return <Empty>Loading {what} …</Empty>
  if (answer.error.unknownPath) return <Empty>This cluster does not tell {what}.</Empty>
  return <Empty>{answer.error.message}</Empty>
}

/** Names and values beside each other. */
export function Facts({ of }: { of: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  )
}

/** Busy, back-pressured and idle time as one bar. */
export function LoadMeter({ rates }: { rates: Pick<Rates, 'busy' | 'backPressured' | 'idle'> | undefined }) {
  const title =
    rates === undefined
      ? 'Not measured yet'
      : `busy ${percent(rates.busy)}, back-pressured ${percent(rates.backPressured)}, idle ${percent(rates.idle)}`
  const busy = (rates?.busy ?? 0) * 100
  const full = busy + (rates?.backPressured ?? 0) * 100
  // One element: pages show hundreds of these.
  const background = `linear-gradient(to right, var(--busy) ${busy}%, var(--back) ${busy}% ${full}%, var(--idle) ${full}%)`
  return <span class="meter" style={{ background }} title={title} role="img" aria-label={title} />
}

/** A share that is in use. */
export function UsedMeter({ share }: { share: number }) {
  const width = `${Math.min(100, Math.max(0, share * 100))}%`
  return (
    <span class="meter" title={percent(share)} role="img" aria-label={`${percent(share)} used`}>
      <i class="used-fill" style={{ width }} />
    </span>
  )
}

/** Links to parts of one place. The first is also at the place itself. */
export function Tabs(props: {
  base: readonly string[]
  tabs: readonly (readonly [id: string, label: string])[]
  current: string
  /** Name of the query parameter that chooses; absent: the next part of the path. */
  parameter?: string
}) {
  const { base, tabs, current, parameter } = props
  const target = (id: string): string =>
    parameter === undefined
      ? href([...base, id])
      : href(base, { ...Object.fromEntries(route.value.query), [parameter]: id })
  return (
    <nav class="tabs" aria-label={parameter === undefined ? 'Parts of this page' : 'Parts of this vertex'}>
      {tabs.map(([id, label]) => (
        <a key={id} href={target(id)} aria-current={id === current ? 'page' : undefined}>
          {label}
        </a>
      ))}
    </nav>
  )
}

/** An id in small letters that can be copied whole. */
export function Id({ value }: { value: string }) {
  return (
    <code class="muted" title={value}>
      {value}
    </code>
  )
}
