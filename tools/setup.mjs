// Makes a clone ready to run: dependencies, then the build. Runs on whatever Node is there (18 or newer),
// because the pinned one comes with the dependencies.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

function step(title, command, args, options = {}) {
  const started = Date.now()
  process.stdout.write(`${title} ... `)
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status !== 0) {
    console.log('failed')
    console.error(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`.trim())
    process.exit(1)
  }
  console.log(`${((Date.now() - started) / 1000).toFixed(1)} s`)
}

// Compares what npm recorded in node_modules with the lock file: right after `npm ci` and after any
// `npm install` alike, which a stamp of our own would not be.
function dependenciesAreInstalled() {
  const recorded = 'node_modules/.package-lock.json'
  if (!existsSync(recorded)) return false
  const wanted = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages
  const installed = JSON.parse(readFileSync(recorded, 'utf8')).packages
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true
    const found = installed[path]
    if (!found) return Boolean(entry.optional || entry.devOptional || entry.peer)
    return entry.link ? found.resolved === entry.resolved : found.version === entry.version
  })
}

function install() {
  // npm's own path, when npm runs us: on Windows `npm` is no program that can be spawned.
  const npm = process.env.npm_execpath
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error']
  const [command, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm']
  step('Installing dependencies (npm ci)', command, [...before, ...args])
}

function checkNode() {
  const pinned = 'node_modules/.bin/node'
  const version = existsSync(pinned)
    ? spawnSync(pinned, ['--version'], { encoding: 'utf8' }).stdout.trim()
    : process.version
  const [major, minor] = version.slice(1).split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 8)) return
  console.error(
    `Node.js 24.8 or newer is required; this is ${version}, and none is pinned for this platform.`,
  )
  process.exit(1)
}

if (dependenciesAreInstalled()) console.log('Dependencies are up to date.')
else install()
checkNode()
// Without the tests' project: a type error in a test must not keep anybody from running the system.
const programs = ['packages/flink-ts', 'packages/cluster', 'packages/cli']
step('Building', process.execPath, ['node_modules/typescript/bin/tsc', '-b', ...programs])
const pinned = existsSync('node_modules/.bin/node') ? 'node_modules/.bin/node' : process.execPath
step('Building the web page', pinned, ['tools/build-web.mjs'])
step('Bundling', pinned, ['tools/bundle-runtime.mjs'])
