/** As many as q13 has keys. */
const SIDE_INPUT_ROWS = 10_000

/** The side input when none is given: a text for each key. */
export function defaultSideInput(): ReadonlyMap<number, string> {
  return new Map(Array.from({ length: SIDE_INPUT_ROWS }, (_, key) => [key, `value ${key}`]))
}

/** Lines of `key,value`. @throws RangeError naming the line that is not */
export function parseSideInput(text: string, path: string): ReadonlyMap<number, string> {
  const rows = new Map<number, string>()
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue
    const comma = line.indexOf(',')
    const key = Number(line.slice(0, comma))
    if (comma < 1 || !Number.isSafeInteger(key)) {
      throw new RangeError(
        `${path}:${i + 1} is no row of the side input: '${line}'. Expected a number, a comma, a text`,
      )
    }
    rows.set(key, line.slice(comma + 1))
  }
  return rows
}
