// Makes what is shipped, from what is built:
//
//   build/flink-ts-<version>.tgz       unpacked on a host that has Node.js and nothing else: bin/, conf/, lib/, examples/
//   build/npm/flink-ts-<version>.tgz   the npm package that users install: npm install ./flink-ts-<version>.tgz
//
// Both hold the runtime as one bundle (bundle-runtime.mjs). The first brings esbuild, which compiles jobs, for the platform
// it was made on; the second has it as a dependency. An argument names another folder than build.
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writePublishedTypes } from './published-types.mjs'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const json = path => JSON.parse(readFileSync(path, 'utf8'))
const { name, version, description, license, engines } = json('packages/flink-ts/package.json')
const title = `${name}-${version}`
const BUILD = resolve(process.argv[2] ?? 'build')
const PACKAGE = join(BUILD, 'npm', 'package')
const HOST = join(BUILD, 'host', title)
/** Packages that are not in the bundle, since they bring native programs. */
const NATIVE = ['esbuild', 'msgpackr-extract']

function run(command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return
  console.error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`)
  process.exit(1)
}

const fresh = folder => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
}

function stagePackage() {
  fresh(PACKAGE)
  run(process.execPath, ['tools/bundle-runtime.mjs', '--into', join(PACKAGE, 'lib')])
  const types = writePublishedTypes('packages/flink-ts/dist/index.d.ts', join(PACKAGE, 'types'))
  if (types.external.length > 0)
    throw new Error(`the types of ${name} need ${types.external}: make them dependencies of what is shipped`)
  cpSync('packages/flink-ts/bin', join(PACKAGE, 'bin'), { recursive: true })
  for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(file, join(PACKAGE, file))
  const installed = dependency => json(`node_modules/${dependency}/package.json`).version
  const manifest = {
    ...{ name, version, description, license, type: 'module', engines },
    bin: { flink: 'bin/flink.cjs', 'flink-ts': 'bin/flink.cjs' },
    exports: {
      '.': {
        types: `./${relative(PACKAGE, types.entry).replaceAll('\\', '/')}`,
        default: './lib/api/index.js',
      },
      './package.json': './package.json',
    },
    dependencies: { esbuild: installed('esbuild') },
    // Makes text faster to decode, where there is one for the platform.
    optionalDependencies: { 'msgpackr-extract': installed('msgpackr-extract') },
  }
  writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
}

/** A package with what it needs of the installed ones, platform packages included. */
function copyInstalled(dependency) {
  const source = join('node_modules', dependency)
  const target = join(HOST, source)
  if (!existsSync(source) || existsSync(target)) return
  cpSync(source, target, { recursive: true })
  const { dependencies, optionalDependencies } = json(join(source, 'package.json'))
  for (const next of Object.keys({ ...dependencies, ...optionalDependencies })) copyInstalled(next)
}

function stageHost() {
  fresh(HOST)
  cpSync(PACKAGE, HOST, { recursive: true })
  for (const folder of ['bin', 'conf']) cpSync(folder, join(HOST, folder), { recursive: true })
  for (const example of readdirSync('examples')) {
    // Those that need nothing else.
    if (json(`examples/${example}/package.json`).devDependencies !== undefined) continue
    cpSync(`examples/${example}/src`, join(HOST, 'examples', example, 'src'), {
      recursive: true,
      filter: path => !path.endsWith('.test.ts'),
    })
  }
  for (const dependency of NATIVE) copyInstalled(dependency)
  // Programs find the runtime that they are run by.
  symlinkSync('..', join(HOST, 'node_modules', name), 'junction')
}

stagePackage()
// npm's own path, when npm runs us: on Windows `npm` is no program that can be spawned.
const npm = process.env.npm_execpath
const [command, ...before] = npm?.endsWith('.js') ? [process.execPath, npm] : ['npm']
run(command, [
  ...before,
  'pack',
  PACKAGE,
  '--pack-destination',
  join(BUILD, 'npm'),
  '--ignore-scripts',
  '--silent',
])
stageHost()
run('tar', ['-czf', join(BUILD, `${title}.tgz`), '-C', dirname(HOST), title])
for (const staged of [PACKAGE, dirname(HOST)]) rmSync(staged, { recursive: true })
for (const path of [`${title}.tgz`, `npm/${title}.tgz`]) console.log(relative('.', join(BUILD, path)))
