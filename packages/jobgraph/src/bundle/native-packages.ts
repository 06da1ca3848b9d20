import { cpSync, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Plugin } from 'esbuild'
import { isRuntimeModule } from './runtime-modules.ts'

// Needed to build an add-on, not to run it.
const BUILD_TIME_PACKAGES = new Set(['prebuild-install', 'node-gyp', 'nan', 'node-addon-api'])
const BUILD_TIME_FILES =
  /\/(deps|src|docs?|test|\.github|obj\.target|\.deps)(\/|$)|\.(c|cc|cpp|h|gyp|md|map)$|test_extension\.node$/

/**
 * Keeps the runtime and packages with a native add-on out of the module; the latter are collected in `natives` (name
 * to folder), since esbuild cannot put them into one file.
 */
export function externalPackages(natives: Map<string, string>): Plugin {
  return {
    name: 'external-packages',
    setup(build) {
      build.onResolve({ filter: /^[^./]/ }, ({ path, resolveDir }) => {
        if (isRuntimeModule(path)) return { path, external: true }
        const name = path.split('/', path.startsWith('@') ? 2 : 1).join('/')
        const dir = packageDir(name, resolveDir)
        if (dir === undefined || !isNative(dir)) return undefined
        natives.set(name, dir)
        return { path, external: true }
      })
      build.onLoad({ filter: /\.node$/ }, ({ path }) => ({
        errors: [{ text: `${path} is a native add-on: import it through the package it belongs to.` }],
      }))
    },
  }
}

/** Copies packages with native add-ons, and what they need at run time, into `<stage>/node_modules`. */
export function copyNativePackages(natives: ReadonlyMap<string, string>, stage: string): void {
  for (const [name, dir] of natives) copyPackage(name, dir, stage)
}

function copyPackage(name: string, dir: string, stage: string): void {
  const target = join(stage, 'node_modules', name)
  if (existsSync(target)) return
  cpSync(dir, target, {
    recursive: true,
    dereference: true,
    filter: path => {
      const inside = path.slice(dir.length).replaceAll('\\', '/')
      return !BUILD_TIME_FILES.test(inside) && !inside.startsWith('/node_modules')
    },
  })
  const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
    optionalDependencies?: Record<string, string>
  }
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    if (BUILD_TIME_PACKAGES.has(dependency)) continue
    const found = packageDir(dependency, dir)
    if (found !== undefined) copyPackage(dependency, found, stage)
  }
}

function packageDir(name: string, from: string): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
    if (dirname(dir) === dir) return undefined
  }
}

function isNative(dir: string): boolean {
  return (
    existsSync(join(dir, 'binding.gyp')) ||
    existsSync(join(dir, 'prebuilds')) ||
    readdirSync(dir).some(name => name.endsWith('.node'))
  )
}
