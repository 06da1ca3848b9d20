import { signal } from '@preact/signals'
import { useEffect, useState } from 'preact/hooks'
import { ApiError, connection, get } from './client.ts'

/** What is known of a path. Data of the last success stays while requests fail. */
export interface Answer<T> {
  readonly data: T | undefined
  readonly error: ApiError | undefined
  /** When the data came, in milliseconds since the epoch. */
  readonly at: number
}

/** Time between two requests for the same path: `refresh-interval` of the cluster. */
export const refreshMs = signal(3000)

const NOTHING = { data: undefined, error: undefined, at: 0 }

/**
 * Reads a path now and every {@link refreshMs} until the component goes or the path changes; the next request starts
 * after the answer to the one before. A page that nobody sees asks for nothing.
 * @param path undefined: nothing to read yet
 * @param often `once`: no further requests after a success; `until-some`: after one with at least one element
 */
export function usePoll<T>(
  path: string | undefined,
  often: 'live' | 'once' | 'until-some' = 'live',
): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T> & { readonly path?: string | undefined }>(NOTHING)
  const everyMs = refreshMs.value
  // Whoever gives a token wants to see everything again.
  const retry = connection.value === 'token-needed'
  useEffect(() => {
    if (path === undefined || retry) return
    return poll(
      signal => get<T>(path, signal),
      result => {
        if (!(result instanceof ApiError)) {
          setAnswer({ data: result, error: undefined, at: Date.now(), path })
          return often === 'live' || (often === 'until-some' && (result as readonly unknown[]).length === 0)
        }
        setAnswer(before => ({ ...(before.path === path ? before : NOTHING), error: result, path }))
        return !result.final
      },
      everyMs,
    )
  }, [path, often, everyMs, retry])
  return answer.path === path ? answer : NOTHING
}

/**
 * Calls `ask` again and again until `told` says false or the returned function is called.
 * @param told what came; true: ask again
 */
export function poll<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  told: (result: T | ApiError) => boolean,
  everyMs: number,
): () => void {
  const abort = new AbortController()
  let timer: ReturnType<typeof setTimeout> | undefined
  let asking = false
  const turn = async (): Promise<void> => {
    if (asking || document.hidden) return
    asking = true
    clearTimeout(timer)
    const result = await ask(abort.signal).catch((error: unknown) =>
      error instanceof ApiError ? error : new ApiError(0, String(error)),
    )
    asking = false
    if (abort.signal.aborted) return
    if (told(result)) timer = setTimeout(seen, everyMs)
    else stop()
  }
  const seen = (): void => {
    void turn() // Its failures are told.
  }
  const stop = (): void => {
    abort.abort()
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', seen)
  }
  document.addEventListener('visibilitychange', seen)
  seen()
  return stop
}
