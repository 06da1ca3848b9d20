import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What bundles leave out: there is one copy of the runtime in a process. */
export const RUNTIME_MODULES = ['flink-ts', '@flink-ts'] as const

/** Whether an import is of the runtime, not of the program. */
export function isRuntimeModule(specifier: string): boolean {
  return RUNTIME_MODULES.some(name => specifier === name || specifier.startsWith(`${name}/`))
}

/**
 * The folders of `flink-ts` and of the scope `@flink-ts` that this runtime itself is loaded from, by name: what
 * {@link extractBundle} links into a bundle. What cannot be found (parts of the workspace in tests) is left out.
 */
export function findRuntimeModuleDirs(fromUrl: string = import.meta.url): Record<string, string> {
  const found: Record<string, string> = {}
  for (let dir = dirname(fileURLToPath(fromUrl)); ; dir = dirname(dir)) {
    for (const name of RUNTIME_MODULES) {
      const candidate = join(dir, 'node_modules', name)
      if (found[name] === undefined && existsSync(candidate)) found[name] = realpathSync(candidate)
    }
    if (dirname(dir) === dir) return found
  }
}
