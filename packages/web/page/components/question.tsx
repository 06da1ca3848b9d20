import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError } from '../api/client.ts'

interface QuestionProps {
  readonly title: string
  readonly meaning: string
  readonly confirm: string
  /** What is confirmed can't be taken back. */
  readonly dangerous?: boolean
  /** Rejects with what is to be told; the question then stays. */
  readonly begin: () => Promise<void>
  readonly close: () => void
  readonly children?: ComponentChildren
}

/** Asks before something is done. Escape is no. */
export function Question(props: QuestionProps) {
  const { title, meaning, confirm, dangerous = false, begin, close, children } = props
  const dialog = useRef<HTMLDialogElement>(null)
  const [failure, setFailure] = useState<string | undefined>()
  const [begins, setBegins] = useState(false)
  useEffect(() => dialog.current?.showModal(), [])
  const start = (event: Event): void => {
    event.preventDefault()
    // A second click starts nothing.
    if (begins) return
    setBegins(true)
    begin().then(close, (error: unknown) => {
      setBegins(false)
      setFailure(error instanceof ApiError ? error.message : String(error))
    })
  }
  return (
    <dialog ref={dialog} onClose={close} aria-labelledby="question">
      <form onSubmit={start}>
        <h2 id="question">{title}</h2>
        <p class="muted">{meaning}</p>
        {children}
        {failure !== undefined && (
          <p role="alert" class="failure">
            {failure}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={close}>
            Back
          </button>
          <button type="submit" class={dangerous ? 'danger' : 'primary'} disabled={begins}>
            {confirm}
          </button>
        </div>
      </form>
    </dialog>
  )
}
