import { createHash, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { defineError } from '../errors/flink-error.ts'
import type { Configuration } from './configuration.ts'
import { AUTH_TOKEN_FILE } from './shared-options.ts'

const SHORTEST = 16

/** The token of `security.auth.token-file` cannot be had. */
const AuthTokenUnusable = defineError<{ file: string; reason: string }>({
  code: 'common.auth-token-unusable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.file} (security.auth.token-file) has no usable token: ${d.reason}. Put one line of 16 or more ` +
    'printable characters without spaces there, such as openssl rand -hex 32 makes, readable for this user only.',
})

/** The token that a process demands and shows; undefined: none. Throws `common.auth-token-unusable`. */
export function authTokenOf(configuration: Configuration): string | undefined {
  const file = configuration.get(AUTH_TOKEN_FILE)
  if (file === '') return undefined
  let token: string
  try {
    token = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw AuthTokenUnusable({ file, reason: (error as NodeJS.ErrnoException).code ?? String(error) }, error)
  }
  if (token.length < SHORTEST) throw AuthTokenUnusable({ file, reason: `it has ${token.length} characters` })
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw AuthTokenUnusable({ file, reason: 'it has spaces, lines or characters that are not ASCII' })
  }
  return token
}

/** Whether `given` is the token, in a time that tells nothing about it. */
export function isAuthToken(given: string, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

/** Whether only this machine reaches what listens at `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}
