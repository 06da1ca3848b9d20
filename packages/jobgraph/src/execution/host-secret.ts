import { hostname } from 'node:os'
import { SecretMissing } from '../errors.ts'

// The real one: planning and replay put others in its place, which record and remember.
const hostEnvironment = process.env

/**
 * The environment variable `name` of this process, unseen by recordings, so that it does not travel with the job: the
 * same call in a replay reads the variable of the host where the replay runs. Throws `jobgraph.secret-missing`.
 */
export function hostSecret(name: string): string {
  const value = hostEnvironment[name]
  if (value === undefined) throw SecretMissing({ variable: name, host: hostname() })
  return value
}
