import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SerializedError } from '@flink-ts/common'
import type { JobInformation } from '@flink-ts/gateways'

/**
 * Makes errors name the sources of a job as its author knows them, relative to the project, instead of below the
 * temporary folder of the bundle. Code that was not bundled stays where it is.
 */
export function sourcePathsOf(
  job: JobInformation,
  moduleUrl: string,
): (error: SerializedError) => SerializedError {
  if (job.program.code.type === 'module') return error => error
  const folderUrl = moduleUrl.slice(0, moduleUrl.lastIndexOf('/') + 1)
  const folder = `${dirname(fileURLToPath(moduleUrl))}/`
  const shorten = (text: string): string => text.replaceAll(folderUrl, '').replaceAll(folder, '')
  const shortened = (error: SerializedError): SerializedError => ({
    ...error,
    message: shorten(error.message),
    stack: error.stack === undefined ? undefined : shorten(error.stack),
    cause: error.cause === undefined ? undefined : shortened(error.cause),
  })
  return shortened
}
