import { parseArgs } from 'node:util'

type Options = Readonly<Record<string, string | number | boolean>>
/** The types of defaults, not their values. */
type Widened<D extends Options> = {
  readonly [K in keyof D]: D[K] extends number ? number : D[K] extends boolean ? boolean : string
}

/**
 * Options of a job as its defaults say: their names, and by their types what they take. Throws if one is not known, or is
 * not a number where the default is one.
 * @param args of the environment
 */
export function jobOptions<const D extends Options>(args: readonly string[], defaults: D): Widened<D> {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { values } = parseArgs({ args: [...args], options })
  const entries = Object.entries(defaults).map(([name, value]) => {
    const given = values[name]
    if (given === undefined) return [name, value]
    return [name, typeof value === 'number' ? numberOf(name, String(given)) : given]
  })
  return Object.fromEntries(entries) as Widened<D>
}

function numberOf(name: string, text: string): number {
  const value = Number(text)
  if (text === '' || !Number.isFinite(value)) throw new Error(`--${name} takes a number, not '${text}'`)
  return value
}
