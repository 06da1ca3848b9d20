import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Path of the three million flights in the package vega-datasets, as installed for this program. */
export function flightsFile(): string {
  const program = process.argv[1] as string
  try {
    // From the program's own folder: inside a bundle there are no packages.
    const build = dirname(createRequire(program).resolve('vega-datasets'))
    return join(build, '../data/flights-3m.parquet')
  } catch (error) {
    throw new Error(
      `The package vega-datasets is not installed for ${program}: run npm ci, or give --input`,
      {
        cause: error,
      },
    )
  }
}
