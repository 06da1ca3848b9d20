import { dayOf, dayText, minuteOf, minuteText } from '../model/calendar.ts'
import { PartitionedFiles } from './partitioned-files.ts'
import type { NexmarkInput, Query } from './query.ts'

interface LoggedBid {
  readonly auction: number
  readonly bidder: number
  readonly price: number
  readonly dateTime: number
  readonly extra: string
  /** Day: `2024-02-29`. */
  readonly dt: string
  /** Minute of the day: `23:59`. */
  readonly hm: string
}

/** All bids into files, in folders for each day and minute as Hive names them: a colon is escaped. */
export const q10: Query<LoggedBid> = {
  name: 'q10',
  about: 'every bid into files by day and minute',
  build: ({ bids }: NexmarkInput) =>
    bids.map(({ auction, bidder, price, dateTime, extra }) => ({
      auction,
      bidder,
      price,
      dateTime,
      extra,
      dt: dayText(dayOf(dateTime)),
      hm: minuteText(minuteOf(dateTime)),
    })),
  sink: folder =>
    new PartitionedFiles<LoggedBid>(folder, {
      partition: ({ dt, hm }) => `dt=${dt}/hm=${hm.replace(':', '%3A')}`,
      line: ({ auction, bidder, price, dateTime, extra }) =>
        `${auction},${bidder},${price},${dateTime},${extra}`,
    }),
}
