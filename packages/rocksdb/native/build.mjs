// Compiles the addon to ../build/rocksdb.node, against RocksDB of the system and the headers of this Node.js:
//
//   apt-get install g++ librocksdb-dev     (macOS: brew install rocksdb)
//   node build.mjs
//
// The job's processes find it there. Nothing runs this by itself; without the addon all but state.backend.type: rocksdb works.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const build = join(here, '..', 'build')
const target = join(build, 'rocksdb.node')

/** Where node_api.h is: with the Node.js of a package, of an archive, of Debian's package. */
function headers() {
  const folders = [join(dirname(dirname(process.execPath)), 'include/node'), '/usr/include/node']
  for (const name of [`node-${process.platform}-${process.arch}`]) {
    try {
      folders.unshift(
        join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'include/node'),
      )
    } catch {
      // Installed in another way.
    }
  }
  const found = folders.find(folder => existsSync(join(folder, 'node_api.h')))
  if (found !== undefined) return found
  console.error(`The headers of Node.js are missing: looked for node_api.h in ${folders.join(', ')}.`)
  process.exit(1)
}

mkdirSync(build, { recursive: true })
// Processes that have the earlier one loaded keep it.
const made = join(build, `rocksdb-${process.pid}.node`)
const sources = readdirSync(here).filter(name => name.endsWith('.cc'))
const options = [
  '-std=c++17',
  '-O2',
  '-DNDEBUG',
  '-fPIC',
  '-shared',
  '-Wall',
  '-Wextra',
  '-fvisibility=hidden',
]
// By tools/rocksdb-asan.sh.
if (process.env.FLINK_ROCKSDB_ASAN === '1') {
  options.push('-fsanitize=address,undefined', '-fno-omit-frame-pointer', '-O1', '-g')
}
const system = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
const compiler = process.env.CXX ?? 'g++'
const { status, error } = spawnSync(
  compiler,
  [
    ...options,
    ...system,
    `-I${headers()}`,
    ...sources.map(name => join(here, name)),
    '-o',
    made,
    '-lrocksdb',
  ],
  { stdio: ['ignore', 'inherit', 'inherit'] },
)
if (status !== 0) {
  console.error(
    `${compiler} ended with ${error?.message ?? `exit code ${status}`}. It needs a C++ compiler and RocksDB's headers:\n` +
      '  apt-get install g++ librocksdb-dev     (macOS: brew install rocksdb)',
  )
  process.exit(1)
}
renameSync(made, target)
console.log(`Built ${target}`)
