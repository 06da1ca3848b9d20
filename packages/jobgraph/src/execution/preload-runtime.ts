import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/**
 * Loads the package `flink-ts` as the program at `moduleUrl` will get it, before main is observed or replayed: what the
 * runtime's own modules read or do while they load must not be taken for main's. A program without it is left alone.
 */
export async function preloadRuntime(moduleUrl: string): Promise<void> {
  let file: string
  try {
    file = createRequire(moduleUrl).resolve('flink-ts')
  } catch {
    // Not installed there: the program does not use it, or its import says so.
    return
  }
  await import(pathToFileURL(file).href)
}
