import { useEffect, useRef, useState } from 'preact/hooks'
import { ApiError, get } from '../../api/client.ts'

/** A look that somebody asked for: it costs what is looked at, so that none is begun without being asked for. */
export interface Look<T> {
  readonly looking: boolean
  readonly data: T | undefined
  readonly failure: string | undefined
  look(path: string): void
}

/** Reads a path when asked to, once. What came stays until the next answer. */
export function useLook<T>(): Look<T> {
  const [state, setState] = useState<Omit<Look<T>, 'look'>>({
    looking: false,
    data: undefined,
    failure: undefined,
  })
  const running = useRef<AbortController | undefined>(undefined)
  useEffect(() => () => running.current?.abort(), [])
  const look = (path: string): void => {
    running.current?.abort()
    const abort = new AbortController()
    running.current = abort
    setState(before => ({ ...before, looking: true, failure: undefined }))
    get<T>(path, abort.signal).then(
      data => setState({ looking: false, data, failure: undefined }),
      (error: unknown) => {
        if (abort.signal.aborted) return
        const unknown = error instanceof ApiError && error.unknownPath
        const message = error instanceof Error ? error.message : String(error)
        setState(before => ({
          ...before,
          looking: false,
          failure: unknown ? 'This cluster does not look into its tasks.' : message,
        }))
      },
    )
  }
  return { ...state, look }
}
