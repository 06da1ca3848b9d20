import { SecretInEnvironment } from '../errors.ts'

const SECRET =
  /TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|(^|_)(KEYS?|PWD|AUTH)$|(^|_)KEY_/i
const NO_SECRET = new Set(['PWD', 'OLDPWD'])

/** Whether the value of an environment variable or a configuration key with this name must not travel. */
export function looksLikeSecret(name: string): boolean {
  return SECRET.test(name.replace(/[.-]/g, '_')) && !NO_SECRET.has(name)
}

/**
 * The environment as main sees it while it is planned: each variable it asks for is noted in `recorded`; asking for a
 * secret that is set throws `jobgraph.secret-in-environment`. What Node.js itself reads (to start a process, say)
 * passes through. Enumerating shows everything but secrets.
 */
export function recordEnvironment(
  real: NodeJS.ProcessEnv,
  recorded: Record<string, string | undefined>,
  observing: () => boolean,
): NodeJS.ProcessEnv {
  const note = (name: PropertyKey, trap: (...args: never[]) => unknown): void => {
    if (typeof name !== 'string' || !observing()) return
    const value = real[name]
    if (value !== undefined && looksLikeSecret(name)) {
      if (calledByNode(trap)) return
      throw SecretInEnvironment({ variable: name })
    }
    if (!Object.hasOwn(recorded, name) && !calledByNode(trap)) recorded[name] = value
  }
  const handler = {
    get: function get(_: object, name: PropertyKey): unknown {
      note(name, get)
      return Reflect.get(real, name)
    },
    has: function has(_: object, name: PropertyKey): boolean {
      note(name, has)
      return Reflect.has(real, name)
    },
    getOwnPropertyDescriptor: function descriptor(
      _: object,
      name: PropertyKey,
    ): PropertyDescriptor | undefined {
      note(name, descriptor)
      return Reflect.getOwnPropertyDescriptor(real, name)
    },
    ownKeys: function ownKeys(): (string | symbol)[] {
      const names = Reflect.ownKeys(real)
      if (!observing() || calledByNode(ownKeys)) return names
      const shown = names.filter(name => typeof name !== 'string' || !looksLikeSecret(name))
      for (const name of shown) if (typeof name === 'string') recorded[name] ??= real[name]
      return shown
    },
    set: (_: object, name: PropertyKey, value: unknown) => Reflect.set(real, name, value),
    defineProperty: (_: object, name: PropertyKey, descriptor: PropertyDescriptor) =>
      Reflect.defineProperty(real, name, descriptor),
    deleteProperty: (_: object, name: PropertyKey) => Reflect.deleteProperty(real, name),
  } satisfies ProxyHandler<object>
  // Over an empty object: the invariants of proxies would forbid hiding names of the real one.
  return new Proxy({}, handler) as NodeJS.ProcessEnv
}

/** Whether the caller of `trap` is inside Node.js. */
function calledByNode(trap: (...args: never[]) => unknown): boolean {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 1
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, trap)
  Error.stackTraceLimit = limit
  return /\bnode:(?!vm)/.test(holder.stack ?? '')
}
