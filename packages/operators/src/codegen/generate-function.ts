let sequence = 0

/**
 * Makes a function from unique source text, so that V8 optimises it for this one place (DESIGN 4): `body` is evaluated
 * with `names` bound to `values` and returns the function. For glue only, never for user code.
 *
 * @param label shown in stacks and profiles: letters, digits, `-`
 */
export function generateFunction<F>(
  label: string,
  names: readonly string[],
  body: string,
  values: readonly unknown[],
): F {
  const unique = ++sequence
  const name = label.replaceAll(/[^A-Za-z0-9-]/g, '_')
  const make = new Function(...names, `// ${unique}\n${body}\n//# sourceURL=flink-ts/${name}-${unique}.js`)
  return make(...values) as F
}
