import { createBundle } from '@flink-ts/jobgraph'
import { formatCount } from '../format.ts'
import type { Terminal } from '../terminal.ts'

/** `flink bundle job.ts -o job.tgz`: a program as one file that `flink run` takes anywhere. */
export async function bundleCommand(
  job: string,
  options: { readonly output: string; readonly entry?: string },
  terminal: Terminal,
): Promise<void> {
  const { file, blobKey, manifest } = await createBundle({
    entry: job,
    outFile: options.output,
    entryFunction: options.entry,
  })
  const sizeBytes = Object.values(manifest.files).reduce((sum, entry) => sum + entry.size, 0)
  const count = Object.keys(manifest.files).length
  terminal.print(`${file}: ${manifest.name}, ${count} files, ${formatCount(sizeBytes)} bytes unpacked`)
  terminal.print(`SHA-256 ${blobKey}`)
}
