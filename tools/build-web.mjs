// Builds the web page into packages/web/dist/page, unless that is newer than everything it is made from.
import { globSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const sources = [...globSync('packages/web/page/**/*.*'), 'package-lock.json', fileURLToPath(import.meta.url)]
const builtMs = statSync('packages/web/dist/page/index.html', { throwIfNoEntry: false })?.mtimeMs ?? 0
if (builtMs < Math.max(...sources.map(path => statSync(path).mtimeMs))) {
  // Loaded late: most runs find nothing to do.
  const { build } = await import('vite')
  await build({ configFile: 'packages/web/page/vite.config.ts', configLoader: 'native' })
}
