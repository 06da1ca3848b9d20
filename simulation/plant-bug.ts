import { registerHooks } from 'node:module'
import type { PlantedBug } from './planted-bugs.ts'
import type { runScenario } from './run-scenario.ts'

const PARAMETER = 'bug'
/** Modules below these are loaded anew for each bug; what they share with others has no bugs and no state. */
const LOADED_ANEW =
  /\/(simulation|packages\/(rpc|gateways|highavailability|jobmanager|taskmanager|resourcemanager|dispatcher|operators|jobhost)\/src)\//

/** Thrown where a planted bug no longer fits its file. */
class BugDoesNotFit extends Error {
  constructor({ name, file, from }: PlantedBug, occurrences: number) {
    super(
      `The planted bug '${name}' no longer fits: packages/${file} has ${occurrences} times, not once, the text\n${from}\n` +
        'Adapt it in simulation/planted-bugs.ts to the new code, so that it is the same mistake.',
    )
    this.name = 'BugDoesNotFit'
  }
}

/** Loads the simulation with a bug in the code of the product: a copy of all its modules, beside those without. */
export async function loadWithBug(bug: PlantedBug): Promise<typeof runScenario> {
  const id = String(Math.abs(hashOf(bug.name)))
  const query = `?${PARAMETER}=${id}`
  let planted = false
  const hooks = registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context)
      if (context.parentURL?.endsWith(query) !== true || !LOADED_ANEW.test(resolved.url)) return resolved
      return { ...resolved, url: resolved.url + query }
    },
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      if (!url.endsWith(`/packages/${bug.file}${query}`)) return loaded
      const source = String(loaded.source)
      const parts = source.split(bug.from)
      if (parts.length !== 2) throw new BugDoesNotFit(bug, parts.length - 1)
      planted = true
      return { ...loaded, source: parts.join(bug.to) }
    },
  })
  try {
    const module = (await import(`./run-scenario.ts${query}`)) as { runScenario: typeof runScenario }
    if (!planted) throw new BugDoesNotFit(bug, 0)
    return module.runScenario
  } finally {
    hooks.deregister()
  }
}

function hashOf(text: string): number {
  let hash = 0
  for (const character of text) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0
  return hash
}
