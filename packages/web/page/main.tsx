import { type ComponentType, render } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { connection, useToken } from './api/client.ts'
import { clusterConfig, isHistory, takesPrograms } from './api/cluster-config.ts'
import { refreshMs, usePoll } from './api/poll.ts'
import type { ClusterOverview, DashboardConfiguration } from './api/shapes.ts'
import { Empty, Panel } from './components/parts.tsx'
import { time } from './model/format.ts'
import { Jobs } from './pages/jobs.tsx'
import { Overview } from './pages/overview.tsx'
import { href, route } from './router.ts'

type Page = ComponentType<{ path: readonly string[] }>

const SECTIONS = [
  ['overview', 'Overview'],
  ['jobs', 'Jobs'],
  ['submit', 'Submit'],
  ['task-managers', 'Task managers'],
  ['job-manager', 'Job manager'],
] as const

function isOffered(section: string): boolean {
  if (section === 'submit') return takesPrograms()
  return section === 'jobs' || !isHistory()
}

/** Pages that are loaded when they are first looked at. */
const LATER: Readonly<Record<string, () => Promise<Page>>> = {
  submit: async () => (await import('./pages/submit.tsx')).SubmitPage,
  job: async () => (await import('./pages/job.tsx')).JobPage,
  'task-managers': async () => (await import('./pages/task-managers.tsx')).TaskManagers,
  'task-manager': async () => (await import('./pages/task-manager.tsx')).TaskManagerPage,
  'job-manager': async () => (await import('./pages/job-manager.tsx')).JobManagerPage,
}

const SECTION_OF: Readonly<Record<string, string>> = { job: 'jobs', 'task-manager': 'task-managers' }

function App() {
  const config = usePoll<DashboardConfiguration>('/config', 'once').data
  const [page = 'overview', ...rest] = route.value.path
  useEffect(() => {
    clusterConfig.value = config
    if (config !== undefined) refreshMs.value = Math.max(1000, config['refresh-interval'])
  }, [config])
  return (
    <>
      <button type="button" class="skip" onClick={toMain}>
        Skip to the content
      </button>
      <Top section={SECTION_OF[page] ?? page} />
      <Connection />
      <main id="main" tabIndex={-1}>
        {connection.value === 'token-needed' ? <TokenForm /> : <Content page={page} path={rest} />}
      </main>
    </>
  )
}

function toMain(): void {
  document.getElementById('main')?.focus()
}

function Content({ page, path }: { page: string; path: readonly string[] }) {
  if (page === 'overview') return isHistory() ? <Jobs shown="completed" /> : <Overview />
  if (page === 'jobs') return <Jobs shown={path[0] ?? 'running'} />
  const load = LATER[page]
  if (load === undefined) {
    return (
      <Empty>
        There is no such page. <a href={href(['overview'])}>To the overview</a>
      </Empty>
    )
  }
  return <Later key={page} load={load} path={path} />
}

function Later({ load, path }: { load: () => Promise<Page>; path: readonly string[] }) {
  const [loaded, setLoaded] = useState<{ readonly page?: Page; readonly failure?: string }>({})
  useEffect(() => {
    load().then(
      page => setLoaded({ page }),
      (error: unknown) => setLoaded({ failure: String(error) }),
    )
  }, [load])
  const { page: Loaded, failure } = loaded
  if (failure !== undefined) {
    return (
      <Empty>
        This part of the page did not load: {failure}. A newer version may be there: load the page again.
      </Empty>
    )
  }
  return Loaded === undefined ? <Empty>Loading …</Empty> : <Loaded path={path} />
}

function Top({ section }: { section: string }) {
  const cluster = usePoll<ClusterOverview>(isHistory() ? undefined : '/overview').data
  return (
    <header class="top">
      <a class="brand" href={href(['overview'])}>
        <img src={new URL('./icon.svg', import.meta.url).href} alt="" /> flink-ts
      </a>
      <nav aria-label="Main">
        {SECTIONS.filter(([id]) => isOffered(id)).map(([id, label]) => (
          <a key={id} href={href([id])} aria-current={id === section ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {cluster !== undefined && (
        <div class="end">
          <span>
            {cluster['slots-available']} of {cluster['slots-total']} slots free
          </span>
          <span>{cluster['flink-version']}</span>
        </div>
      )}
    </header>
  )
}

function Connection() {
  const lost = connection.value === 'lost'
  const [since, setSince] = useState(0)
  useEffect(() => {
    if (lost) setSince(Date.now())
  }, [lost])
  if (!lost) return null
  return (
    <div class="banner" role="status">
      The JobManager does not answer{since === 0 ? '' : ` since ${time(since)}`}. What is shown is what was
      known then.
    </div>
  )
}

function TokenForm() {
  const [token, setToken] = useState('')
  return (
    <Panel title="This cluster demands a token">
      <form
        class="pad stack"
        onSubmit={event => {
          event.preventDefault()
          useToken(token.trim())
        }}
      >
        <p>
          Give the content of the file that <code>security.auth.token-file</code> names. It is kept until this
          tab is closed.
        </p>
        <input
          type="password"
          aria-label="Token"
          autocomplete="off"
          value={token}
          onInput={event => setToken(event.currentTarget.value)}
        />
        <div>
          <button type="submit" class="primary" disabled={token.trim() === ''}>
            Continue
          </button>
        </div>
      </form>
    </Panel>
  )
}

const root = document.getElementById('page')
if (root !== null) render(<App />, root)
