import { SeededRandom } from '@flink-ts/common'

/** Random choices of a test: the seed is new in each run, and printed, so that a failure can be repeated with E2E_SEED. */
export function seededChoices(testName: string): SeededRandom {
  const seed = Number(process.env.E2E_SEED ?? Date.now() % 1_000_000)
  console.log(`${testName}: E2E_SEED=${seed}`)
  return new SeededRandom(seed)
}

/** Waits for a random time between the two bounds, in milliseconds. */
export async function randomPause(random: SeededRandom, fromMs: number, toMs: number): Promise<number> {
  const ms = Math.round(fromMs + random.next() * (toMs - fromMs))
  await new Promise(resolve => setTimeout(resolve, ms))
  return ms
}
