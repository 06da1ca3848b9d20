import { signal } from '@preact/signals'

const TOKEN_KEY = 'flink-token'

/** Why a request failed. `status` 0: nobody answered. */
export class ApiError extends Error {
  readonly status: number
  /** The cluster is there but knows no such path: an older one, or a feature that is switched off. */
  readonly unknownPath: boolean

  constructor(status: number, message: string) {
    super(message)
    this.status = status
    this.unknownPath = status === 404 && message.startsWith('Not found:')
  }
}

/** How the page stands with the cluster. Owned by this file. */
export const connection = signal<'ok' | 'lost' | 'token-needed'>('ok')

/** Sets what requests show as their token, for this tab only. */
export function useToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token)
  connection.value = 'ok'
}

/** Reads JSON. @throws ApiError */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request('GET', path, { signal })).json()) as T
}

/** Reads text; of long files only the end. @throws ApiError */
export async function getTail(path: string, bytes: number, signal?: AbortSignal): Promise<string> {
  const response = await request('GET', path, { signal, headers: { range: `bytes=-${bytes}` } })
  const text = await response.text()
  if (response.status !== 206 && text.length <= bytes) return text
  // The first line of a part is half a line.
  const tail = text.slice(-bytes)
  return tail.slice(tail.indexOf('\n') + 1)
}

/** Sends JSON and reads the answer. @throws ApiError */
export async function send<T>(method: 'POST' | 'PATCH', path: string, body?: object): Promise<T> {
  const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return (await (await request(method, path, body === undefined ? {} : json)).json()) as T
}

interface Sent {
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}

async function request(method: string, path: string, { body, headers, signal }: Sent): Promise<Response> {
  const token = sessionStorage.getItem(TOKEN_KEY)
  const authorization: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` }
  let response: Response
  try {
    response = await fetch(`.${path}`, {
      method,
      headers: { ...headers, ...authorization },
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    })
  } catch (error) {
    if (signal?.aborted !== true) connection.value = 'lost'
    throw new ApiError(0, error instanceof Error ? error.message : String(error))
  }
  connection.value = response.status === 401 ? 'token-needed' : 'ok'
  if (response.ok) return response
  throw new ApiError(response.status, await failureOf(response))
}

/** The text of `{"errors": [text]}`; of a proxy's answer its status. */
async function failureOf(response: Response): Promise<string> {
  try {
    const { errors } = (await response.json()) as { errors?: readonly string[] }
    if (errors !== undefined) return errors.join('\n')
  } catch {
    // No JSON: the status says it.
  }
  return `${response.status} ${response.statusText}`
}
