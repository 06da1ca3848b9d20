// How fast the machine is now: node calibration.ts prints the CPU time of one step in nanoseconds. What the steps do is
// fixed for good, since stored figures are ratios to it: numbers, short-lived objects, lookups in a Map.
const STEPS = 20_000_000
const KEYS = 10_000

interface Counted {
  count: number
  last: { readonly key: number; readonly step: number }
}

function run(steps: number): number {
  const byKey = new Map<number, Counted>()
  let sum = 0
  for (let step = 0; step < steps; step++) {
    const key = (Math.imul(step, 0x9e3779b1) >>> 8) % KEYS
    const record = { key, step }
    const counted = byKey.get(key)
    if (counted === undefined) byKey.set(key, { count: 1, last: record })
    else {
      counted.count++
      sum += record.step - counted.last.step
      counted.last = record
    }
  }
  return sum
}

run(STEPS / 10)
const before = process.cpuUsage()
const sum = run(STEPS)
const { user, system } = process.cpuUsage(before)
if (!Number.isFinite(sum)) throw new Error(`the sum is ${sum}`)
console.log(((user + system) * 1000) / STEPS)
