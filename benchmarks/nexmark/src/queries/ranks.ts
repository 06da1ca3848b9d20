/** Of a price: below 10,000, below 1,000,000, the rest. */
export const rankOf = (price: number): 1 | 2 | 3 => (price < 10_000 ? 1 : price < 1_000_000 ? 2 : 3)

/** How many there are in all, and of each rank. */
export interface RankCounts {
  total: number
  rank1: number
  rank2: number
  rank3: number
}

export const noRankCounts = (): RankCounts => ({ total: 0, rank1: 0, rank2: 0, rank3: 0 })

/** Counts one more of a rank. */
export function countRank(counts: RankCounts, rank: 1 | 2 | 3): void {
  if (rank === 1) counts.rank1++
  else if (rank === 2) counts.rank2++
  else counts.rank3++
}
