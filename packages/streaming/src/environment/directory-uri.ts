import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

/** A folder as URI. Paths become absolute here, at the client: in the working directory of a TaskManager they are others. */
export function directoryUri(directory: string): string {
  return /^[a-z][a-z0-9+.-]+:/i.test(directory) ? directory : pathToFileURL(resolve(directory)).href
}
