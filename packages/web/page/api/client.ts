import { signal } from '@preact/signals'

const TOKEN_KEY = 'flink-token'

/** Why a request failed. `status` 0: nobody answered. */
export class ApiError extends Error {
  readonly status: number
  /** The cluster is there but knows no such path: an older one, or a feature that is switched off. */
  readonly unknownPath: boolean
  /** Asking again brings the same: the cluster does not do it, or not like this. */
  readonly final: boolean

  constructor(status: number, message: string) {
    super(message)
    this.status = status
    this.unknownPath = status === 404 && message.startsWith('Not found:')
    this.final = this.unknownPath || [400, 403, 405, 501].includes(status)
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
export async function send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<T> {
  const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  return (await (await request(method, path, body === undefined ? {} : json)).json()) as T
}

/**
 * Sends a file as a form, as the API takes programs.
 * @param progress told the sent share, 0 to 1
 * @throws ApiError
 */
export function upload<T>(
  path: string,
  field: string,
  file: File,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<T> {
  // fetch does not tell how much has been sent.
  const sending = new XMLHttpRequest()
  sending.open('POST', `.${path}`)
  const token = sessionStorage.getItem(TOKEN_KEY)
  if (token !== null) sending.setRequestHeader('authorization', `Bearer ${token}`)
  const form = new FormData()
  form.append(field, file, file.name)
  return new Promise((resolve, reject) => {
    const failed = (message: string): void => reject(new ApiError(0, message))
    sending.upload.addEventListener('progress', event => progress(event.loaded / Math.max(1, event.total)))
    sending.addEventListener('error', () => failed('The connection was lost while the file was sent.'))
    sending.addEventListener('abort', () => failed('Given up.'))
    sending.addEventListener('load', () => {
      connection.value = sending.status === 401 ? 'token-needed' : 'ok'
      try {
        const answer = JSON.parse(sending.responseText) as T & { errors?: readonly string[] }
        if (sending.status < 300) resolve(answer)
        else reject(new ApiError(sending.status, answer.errors?.join('\n') ?? sending.statusText))
      } catch {
        // A proxy's answer is no JSON: the status says it.
        reject(new ApiError(sending.status, `${sending.status} ${sending.statusText}`))
      }
    })
    signal.addEventListener('abort', () => sending.abort(), { once: true })
    sending.send(form)
  })
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
