// Writes what follows from the packages' dependencies: each package's tsconfig.json with its references,
// and the reference lists of the two root projects. With --check it only reports what is out of date.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'

const check = process.argv.includes('--check')
const read = path => (existsSync(path) ? readFileSync(path, 'utf8') : '')
const architecture = JSON.parse(read('architecture.json'))
const problems = []

function write(path, value) {
  // As Biome formats it: references on lines of their own, arrays on one line where they fit.
  const text = `${JSON.stringify(value, null, 2)
    .replace(/\{\s+("path": "[^"]*")\s+\}/g, '{ $1 }')
    .replace(/^.*\[\n[^[\]]*\]/gm, array => {
      const line = array.replace(/\n */g, ' ').replace('[ ', '[').replace(' ]', ']')
      return line.length <= 110 ? line : array
    })}\n`
  if (read(path) === text) return
  if (check) problems.push(`${path} is out of date: run npm run generate`)
  else writeFileSync(path, text)
}

function workspaceDependencies(name) {
  const { dependencies = {} } = JSON.parse(read(`packages/${name}/package.json`))
  return Object.keys(dependencies)
    .map(d => (d === 'flink-ts' ? d : d.startsWith('@flink-ts/') ? d.slice('@flink-ts/'.length) : ''))
    .filter(Boolean)
}

const present = readdirSync('packages').filter(name => existsSync(`packages/${name}/package.json`))
for (const name of present) {
  if (!(name in architecture)) problems.push(`packages/${name} is missing in architecture.json`)
  const dependencies = workspaceDependencies(name)
  for (const dependency of dependencies) {
    if (!architecture[name]?.includes(dependency))
      problems.push(`packages/${name}/package.json: architecture.json does not allow ${dependency}`)
  }
  write(`packages/${name}/tsconfig.json`, {
    extends: '../../tsconfig.base.json',
    compilerOptions: { rootDir: 'src', outDir: 'dist', tsBuildInfoFile: 'dist/.tsbuildinfo' },
    include: ['src'],
    exclude: ['**/*.test.ts'],
    references: dependencies.map(d => ({ path: `../${d}` })),
  })
}

const packages = Object.keys(architecture).filter(name => present.includes(name))
const references = packages.map(name => ({ path: `packages/${name}` }))
// What runs in browsers has types of its own.
const page = { path: 'packages/web/page' }
write('tsconfig.json', { files: [], references: [...references, page, { path: 'tsconfig.test.json' }] })
const tests = JSON.parse(read('tsconfig.test.json') || '{}')
write('tsconfig.test.json', { ...tests, references })

for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
