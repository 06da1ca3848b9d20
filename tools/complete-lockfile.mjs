// Adds the packages for other platforms that npm left out of package-lock.json. It leaves them out when the
// registry in use does not carry them, and `npm ci` refuses a lock file without them on every platform.
import { readFileSync, writeFileSync } from 'node:fs'

const path = 'package-lock.json'
const check = process.argv.includes('--check')
const lock = JSON.parse(readFileSync(path, 'utf8'))
const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32']
const processors = ['arm', 'arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64']
const libraries = { gnu: 'glibc', gnueabihf: 'glibc', musl: 'musl', musleabihf: 'musl' }

// The platform as the names of such packages state it: name-linux-arm64-musl.
function platform(name) {
  const words = name.split(/[-/]/)
  const pick = known => words.filter(word => known.includes(word))
  const libc = words.map(word => libraries[word]).filter(Boolean)
  return { cpu: pick(processors), ...(libc.length > 0 ? { libc } : {}), os: pick(systems) }
}

const known = Object.keys(lock.packages)
const isLocked = name => known.some(key => key.endsWith(`node_modules/${name}`))
const missing = Object.values(lock.packages).flatMap(parent =>
  Object.entries(parent.optionalDependencies ?? {})
    .filter(([name]) => !isLocked(name))
    .map(([name, version]) => ({ name, version, dev: parent.dev })),
)

for (const { name, version, dev } of missing) {
  const { cpu, libc, os } = platform(name)
  if (os.length !== 1 || cpu.length !== 1 || !/^\d+\.\d+\.\d+/.test(version)) {
    console.error(`${path}: ${name}@${version} is missing, and its platform cannot be told from its name`)
    process.exit(1)
  }
  lock.packages[`node_modules/${name}`] = {
    version,
    cpu,
    ...(dev ? { dev } : {}),
    ...(libc ? { libc } : {}),
    optional: true,
    os,
  }
}

if (missing.length > 0 && check) {
  console.error(`${path} lacks ${missing.length} packages for other platforms: run npm run generate`)
  process.exit(1)
}
if (missing.length > 0) {
  const sorted = Object.keys(lock.packages).sort((a, b) => a.localeCompare(b, 'en'))
  lock.packages = Object.fromEntries(sorted.map(key => [key, lock.packages[key]]))
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
  console.log(`${path}: ${missing.length} packages for other platforms added`)
}
