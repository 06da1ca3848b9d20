import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, send } from '../../api/client.ts'
import type { PlanNode } from '../../api/shapes.ts'
import { Panel } from '../../components/parts.tsx'
import { PlanView } from '../../graph/plan-view.tsx'
import { EMPTY_FORM, problemOf, type RunForm, runBody } from '../../model/program-run.ts'
import { go } from '../../router.ts'

/** One of `files` of GET /jars */
export interface Program {
  readonly id: string
  readonly name: string
  readonly uploaded: number
  readonly entry: readonly { readonly name: string }[]
}

type Doing = 'plan' | 'run'

/** Of all programs, for as long as the page is open: whoever looks something up comes back to it. */
const forms = new Map<string, RunForm>()

/** How an uploaded program is to be run, what it would be, and the button that runs it. */
export function RunPanel({ program }: { program: Program }) {
  const [form, setForm] = useState(forms.get(program.id) ?? EMPTY_FORM)
  const [doing, setDoing] = useState<Doing | undefined>()
  const [failure, setFailure] = useState<string | undefined>()
  const [plan, setPlan] = useState<readonly PlanNode[] | undefined>()
  const here = useRef(true)
  useEffect(
    () => () => {
      here.current = false
    },
    [],
  )
  const problem = problemOf(form)
  const change = (part: Partial<RunForm>): void => {
    const next = { ...form, ...part }
    forms.set(program.id, next)
    setForm(next)
  }
  const start = async (what: Doing): Promise<void> => {
    setDoing(what)
    setFailure(undefined)
    const path = `/jars/${encodeURIComponent(program.id)}/${what}`
    try {
      const answer = await send<{ jobid: string; plan: { nodes: readonly PlanNode[] } }>(
        'POST',
        path,
        runBody(form),
      )
      if (!here.current) return
      if (what === 'run') go(['job', answer.jobid])
      else setPlan(answer.plan.nodes)
    } catch (error) {
      if (here.current) setFailure(error instanceof ApiError ? error.message : String(error))
    } finally {
      if (here.current) setDoing(undefined)
    }
  }
  return (
    <>
      <Panel title={`Run ${program.name}`}>
        <form
          class="pad fields-form"
          onSubmit={event => {
            event.preventDefault()
            void start('run') // Its failure is shown.
          }}
        >
          <label class="field">
            <span>Entry</span>
            <input value={program.entry.map(({ name }) => name).join(', ')} readOnly />
          </label>
          <label class="field">
            <span>Parallelism</span>
            <input
              inputMode="numeric"
              value={form.parallelism}
              placeholder="as the program or the cluster says"
              onInput={event => change({ parallelism: event.currentTarget.value })}
            />
          </label>
          <label class="field whole">
            <span>Arguments</span>
            <input
              class="mono"
              value={form.args}
              spellcheck={false}
              placeholder={`--input in.csv --name "two words"`}
              onInput={event => change({ args: event.currentTarget.value })}
            />
          </label>
          <label class="field whole">
            <span>Start from savepoint or checkpoint</span>
            <input
              class="mono"
              value={form.savepointPath}
              spellcheck={false}
              placeholder="its folder; empty: without state"
              onInput={event => change({ savepointPath: event.currentTarget.value })}
            />
          </label>
          {form.savepointPath.trim() !== '' && (
            <label class="whole">
              <input
                type="checkbox"
                checked={form.allowNonRestoredState}
                onChange={event => change({ allowNonRestoredState: event.currentTarget.checked })}
              />{' '}
              Drop state that no operator of the program takes over
            </label>
          )}
          {(problem ?? failure) !== undefined && (
            <p role="alert" class="failure whole">
              {problem ?? failure}
            </p>
          )}
          <div class="buttons whole">
            {doing !== undefined && (
              <span class="muted" role="status">
                {doing === 'run' ? 'Its main runs up to execute …' : 'Its main runs, to see the plan …'}
              </span>
            )}
            <button
              type="button"
              disabled={doing !== undefined || problem !== undefined}
              onClick={() => void start('plan') /* Its failure is shown. */}
            >
              Show plan
            </button>
            <button type="submit" class="primary" disabled={doing !== undefined || problem !== undefined}>
              Run
            </button>
          </div>
        </form>
      </Panel>
      {plan !== undefined && (
        <Panel title="Plan">
          <PlanView nodes={plan} />
        </Panel>
      )}
    </>
  )
}
