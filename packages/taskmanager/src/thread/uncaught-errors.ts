import { type SerializedError, serializeError } from '@flink-ts/common'
import { withStackOf } from '@flink-ts/operators'
import { UncaughtError } from '../errors.ts'

/** Where an uncaught error came from, as Node.js names it. */
export type UncaughtOrigin = 'uncaughtException' | 'unhandledRejection'

/** The failure of all tasks of a slot by code of the user that nothing of ours has called. The user's stack comes first. */
export function uncaughtFailure(
  place: { readonly job: string; readonly slot: string },
  thrown: unknown,
  origin: UncaughtOrigin,
): SerializedError {
  const where =
    origin === 'unhandledRejection'
      ? 'a promise was rejected that nobody awaits'
      : 'thrown in a callback, of setTimeout for example, outside of any call of the job'
  const error = serializeError(thrown).message
  return serializeError(withStackOf(UncaughtError({ ...place, origin: where, error }, thrown), thrown))
}
