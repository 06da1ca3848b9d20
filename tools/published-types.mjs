// Collects the type declarations of the package flink-ts, and of all parts of other workspaces that they mention, into one
// folder: whoever installs the package has no workspaces.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

const SPECIFIER = /(\bfrom\s+|\bimport\(|^import\s+)(['"])([^'"]+)\2/gm

/** Where `@flink-ts/name[/sub]` has its declarations. */
function declarationsOf(specifier) {
  const [, name, ...rest] = specifier.split('/')
  const { exports } = JSON.parse(readFileSync(`packages/${name}/package.json`, 'utf8'))
  return resolve('packages', name, exports[['.', ...rest].join('/')].types)
}

function resolved(specifier, from) {
  if (specifier.startsWith('@flink-ts/')) return declarationsOf(specifier)
  if (!specifier.startsWith('.')) return undefined
  const base = resolve(dirname(from), specifier.replace(/\.[jt]s$/, ''))
  return [`${base}.d.ts`, join(base, 'index.d.ts')].find(existsSync)
}

/**
 * Writes `<target>/<package>/...d.ts`, beginning with the file `entry` of a `dist` folder, and answers the path of that
 * one and the packages from elsewhere that the types need.
 */
export function writePublishedTypes(entry, target) {
  const packages = resolve('packages')
  const placeOf = file => join(target, relative(packages, file).replace(`${sep}dist${sep}`, sep))
  const external = new Set()
  const seen = new Set([resolve(entry)])
  for (const file of seen) {
    const place = placeOf(file)
    const text = readFileSync(file, 'utf8').replace(SPECIFIER, (whole, before, quote, specifier) => {
      const found = resolved(specifier, file)
      if (found === undefined) {
        if (specifier.startsWith('.') || specifier.startsWith('@flink-ts/'))
          throw new Error(`${file} mentions ${specifier}, which has no declarations: run npm run build`)
        if (!specifier.startsWith('node:')) external.add(specifier)
        return whole
      }
      seen.add(found)
      const path = relative(dirname(place), placeOf(found))
        .replaceAll(sep, '/')
        .replace(/\.d\.ts$/, '.js')
      return `${before}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`
    })
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, text.replace(/^\/\/# sourceMappingURL=.*\n?/m, ''))
  }
  return { entry: placeOf(resolve(entry)), external: [...external], files: seen.size }
}
