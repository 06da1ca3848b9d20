import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.co.KeyedCoProcessFunction;
import org.apache.flink.util.Collector;

/** Queries as keyed functions with state of their own: the same plans as on the other side of the comparison. */
public final class KeyedQueries {
    private KeyedQueries() {}

    static DataStream<?> stream(String query, DataStream<Events.Event> events, DataStream<Events.Bid> bids) {
        switch (query) {
            case "q3":
                return events.filter(event -> event.person != null)
                        .map(
                                event ->
                                        new Tuple4<>(
                                                event.person.id, event.person.name, event.person.city, event.person.state))
                        .returns(new TypeHint<Tuple4<Long, String, String, String>>() {})
                        .keyBy(seller -> seller.f0)
                        .connect(
                                events.filter(event -> event.auction != null && event.auction.category == 10)
                                        .map(event -> new Tuple2<>(event.auction.id, event.auction.seller))
                                        .returns(new TypeHint<Tuple2<Long, Long>>() {})
                                        .keyBy(offer -> offer.f1))
                        .process(new LocalItems());
            case "q9":
                return auctions(events).keyBy(auction -> auction.id).connect(plain(bids).keyBy(bid -> bid.f0)).process(new BestBid());
            case "q15":
                return bids.keyBy(bid -> bid.dateTime / 86_400_000).process(new Report<>());
            case "q16":
                return bids.keyBy(
                                bid -> new Tuple2<>(bid.channel, bid.dateTime / 86_400_000),
                                TypeInformation.of(new TypeHint<Tuple2<String, Long>>() {}))
                        .process(new Report<>());
            case "q17":
                return bids.map(bid -> new Tuple3<>(bid.auction, bid.dateTime / 86_400_000, bid.price))
                        .returns(new TypeHint<Tuple3<Long, Long, Long>>() {})
                        .keyBy(
                                bid -> new Tuple2<>(bid.f0, bid.f1),
                                TypeInformation.of(new TypeHint<Tuple2<Long, Long>>() {}))
                        .process(new Prices());
            case "q18":
                return bids.keyBy(
                                bid -> new Tuple2<>(bid.bidder, bid.auction),
                                TypeInformation.of(new TypeHint<Tuple2<Long, Long>>() {}))
                        .process(new LastBid());
            case "q19":
                return bids.keyBy(bid -> bid.auction).process(new TopBids());
            case "q20":
                return auctions(events).keyBy(auction -> auction.id).connect(bids.keyBy(bid -> bid.auction)).process(new Expand());
            default:
                throw new IllegalArgumentException("there is no DataStream form of " + query);
        }
    }

    private static DataStream<Events.Auction> auctions(DataStream<Events.Event> events) {
        return events.filter(event -> event.auction != null).map(event -> event.auction).returns(Events.Auction.class);
    }

    private static DataStream<Tuple5<Long, Long, Long, Long, String>> plain(DataStream<Events.Bid> bids) {
        return bids.map(bid -> new Tuple5<>(bid.auction, bid.bidder, bid.price, bid.dateTime, bid.extra))
                .returns(new TypeHint<Tuple5<Long, Long, Long, Long, String>>() {});
    }

    private static final class LocalItems
            extends KeyedCoProcessFunction<
                    Long, Tuple4<Long, String, String, String>, Tuple2<Long, Long>, Tuple4<String, String, String, Long>> {
        private transient ValueState<Tuple4<Long, String, String, String>> seller;
        private transient ListState<Long> waiting;

        @Override
        public void open(OpenContext context) {
            seller =
                    getRuntimeContext()
                            .getState(
                                    new ValueStateDescriptor<>(
                                            "seller", Types.TUPLE(Types.LONG, Types.STRING, Types.STRING, Types.STRING)));
            waiting = getRuntimeContext().getListState(new ListStateDescriptor<>("waiting", Types.LONG));
        }

        @Override
        public void processElement1(
                Tuple4<Long, String, String, String> person, Context context, Collector<Tuple4<String, String, String, Long>> out)
                throws Exception {
            seller.update(person);
            if (isLocal(person)) {
                for (Long id : waiting.get()) {
                    out.collect(new Tuple4<>(person.f1, person.f2, person.f3, id));
                }
            }
            waiting.clear();
        }

        @Override
        public void processElement2(
                Tuple2<Long, Long> offer, Context context, Collector<Tuple4<String, String, String, Long>> out) throws Exception {
            Tuple4<Long, String, String, String> person = seller.value();
            if (person == null) {
                waiting.add(offer.f0);
            } else if (isLocal(person)) {
                out.collect(new Tuple4<>(person.f1, person.f2, person.f3, offer.f0));
            }
        }

        private static boolean isLocal(Tuple4<Long, String, String, String> person) {
            return person.f3.equals("OR") || person.f3.equals("ID") || person.f3.equals("CA");
        }
    }

    private static final class BestBid
            extends KeyedCoProcessFunction<
                    Long,
                    Events.Auction,
                    Tuple5<Long, Long, Long, Long, String>,
                    Tuple2<Events.Auction, Tuple5<Long, Long, Long, Long, String>>> {
        private transient ValueState<Events.Auction> auction;
        private transient ValueState<Tuple5<Long, Long, Long, Long, String>> best;
        private transient ListState<Tuple5<Long, Long, Long, Long, String>> early;

        @Override
        public void open(OpenContext context) {
            TypeInformation<Tuple5<Long, Long, Long, Long, String>> bid =
                    Types.TUPLE(Types.LONG, Types.LONG, Types.LONG, Types.LONG, Types.STRING);
            auction =
                    getRuntimeContext()
                            .getState(new ValueStateDescriptor<>("auction", TypeInformation.of(Events.Auction.class)));
            best = getRuntimeContext().getState(new ValueStateDescriptor<>("best", bid));
            early = getRuntimeContext().getListState(new ListStateDescriptor<>("early", bid));
        }

        @Override
        public void processElement1(
                Events.Auction opened,
                Context context,
                Collector<Tuple2<Events.Auction, Tuple5<Long, Long, Long, Long, String>>> out)
                throws Exception {
            auction.update(opened);
            Tuple5<Long, Long, Long, Long, String> winner = null;
            for (Tuple5<Long, Long, Long, Long, String> bid : early.get()) {
                if (isBetter(opened, winner, bid)) {
                    winner = bid;
                }
            }
            early.clear();
            if (winner != null) {
                best.update(winner);
                out.collect(new Tuple2<>(opened, winner));
            }
        }

        @Override
        public void processElement2(
                Tuple5<Long, Long, Long, Long, String> bid,
                Context context,
                Collector<Tuple2<Events.Auction, Tuple5<Long, Long, Long, Long, String>>> out)
                throws Exception {
            Events.Auction opened = auction.value();
            if (opened == null) {
                early.add(bid);
            } else if (isBetter(opened, best.value(), bid)) {
                best.update(bid);
                out.collect(new Tuple2<>(opened, bid));
            }
        }

        private static boolean isBetter(
                Events.Auction auction,
                Tuple5<Long, Long, Long, Long, String> best,
                Tuple5<Long, Long, Long, Long, String> bid) {
            long time = bid.f3;
            if (time < auction.dateTime || time > auction.expires) {
                return false;
            }
            if (best == null) {
                return true;
            }
            long difference = bid.f2 - best.f2;
            return difference != 0 ? difference > 0 : time < best.f3;
        }
    }

    /** How many there are in all, and of each rank. */
    public static final class Ranks implements Serializable {
        public long total;
        public long rank1;
        public long rank2;
        public long rank3;

        void add(int rank) {
            if (rank == 1) {
                rank1++;
            } else if (rank == 2) {
                rank2++;
            } else {
                rank3++;
            }
        }
    }

    /** Statistics of a key. */
    public static final class Counts {
        public long minute;
        public Ranks bids = new Ranks();
        public Ranks bidders = new Ranks();
        public Ranks auctions = new Ranks();
    }

    private static int rankOf(long price) {
        return price < 10_000 ? 1 : price < 1_000_000 ? 2 : 3;
    }

    /** A row of q15 and q16: what is counted is copied, as a row that leaves must be. */
    public static final class ReportRow {
        public String channel;
        public String day;
        public long minute;
        public long totalBids;
        public long rank1Bids;
        public long rank2Bids;
        public long rank3Bids;
        public long totalBidders;
        public long rank1Bidders;
        public long rank2Bidders;
        public long rank3Bidders;
        public long totalAuctions;
        public long rank1Auctions;
        public long rank2Auctions;
        public long rank3Auctions;
    }

    private static final class Report<K> extends KeyedProcessFunction<K, Events.Bid, ReportRow> {
        private final Queries.Days days = new Queries.Days();
        private transient ValueState<Counts> counts;
        private transient MapState<Long, Integer> bidders;
        private transient MapState<Long, Integer> auctions;

        @Override
        public void open(OpenContext context) {
            counts = getRuntimeContext().getState(new ValueStateDescriptor<>("counts", TypeInformation.of(Counts.class)));
            bidders = getRuntimeContext().getMapState(new MapStateDescriptor<>("bidders", Types.LONG, Types.INT));
            auctions = getRuntimeContext().getMapState(new MapStateDescriptor<>("auctions", Types.LONG, Types.INT));
        }

        @Override
        public void processElement(Events.Bid bid, Context context, Collector<ReportRow> out) throws Exception {
            Counts of = counts.value();
            if (of == null) {
                of = new Counts();
            }
            int rank = rankOf(bid.price);
            of.minute = Math.max(of.minute, bid.dateTime / 60_000 % 1440);
            of.bids.total++;
            of.bids.add(rank);
            countDistinct(bidders, bid.bidder, rank, of.bidders);
            countDistinct(auctions, bid.auction, rank, of.auctions);
            counts.update(of);
            ReportRow row = new ReportRow();
            row.channel = bid.channel;
            row.day = days.text(bid.dateTime / 86_400_000);
            row.minute = of.minute;
            row.totalBids = of.bids.total;
            row.rank1Bids = of.bids.rank1;
            row.rank2Bids = of.bids.rank2;
            row.rank3Bids = of.bids.rank3;
            row.totalBidders = of.bidders.total;
            row.rank1Bidders = of.bidders.rank1;
            row.rank2Bidders = of.bidders.rank2;
            row.rank3Bidders = of.bidders.rank3;
            row.totalAuctions = of.auctions.total;
            row.rank1Auctions = of.auctions.rank1;
            row.rank2Auctions = of.auctions.rank2;
            row.rank3Auctions = of.auctions.rank3;
            out.collect(row);
        }

        private static void countDistinct(MapState<Long, Integer> seen, long id, int rank, Ranks ranks)
                throws Exception {
            Integer before = seen.get(id);
            if (before == null) {
                ranks.total++;
            } else if ((before & (1 << rank)) != 0) {
                return;
            }
            ranks.add(rank);
            seen.put(id, (before == null ? 0 : before) | (1 << rank));
        }
    }

    /** State of q17. */
    public static final class PricesOfDay {
        public Ranks bids = new Ranks();
        public long least = Long.MAX_VALUE;
        public long highest = Long.MIN_VALUE;
        public long sum;
    }

    /** A row of q17. */
    public static final class PriceRow {
        public long auction;
        public String day;
        public long total;
        public long rank1;
        public long rank2;
        public long rank3;
        public long least;
        public long highest;
        public long average;
        public long sum;
    }

    private static final class Prices
            extends KeyedProcessFunction<Tuple2<Long, Long>, Tuple3<Long, Long, Long>, PriceRow> {
        private final Queries.Days days = new Queries.Days();
        private transient ValueState<PricesOfDay> prices;

        @Override
        public void open(OpenContext context) {
            prices =
                    getRuntimeContext()
                            .getState(new ValueStateDescriptor<>("prices", TypeInformation.of(PricesOfDay.class)));
        }

        @Override
        public void processElement(Tuple3<Long, Long, Long> bid, Context context, Collector<PriceRow> out)
                throws Exception {
            PricesOfDay of = prices.value();
            if (of == null) {
                of = new PricesOfDay();
            }
            long price = bid.f2;
            of.bids.total++;
            of.bids.add(rankOf(price));
            of.least = Math.min(of.least, price);
            of.highest = Math.max(of.highest, price);
            of.sum += price;
            prices.update(of);
            PriceRow row = new PriceRow();
            row.auction = bid.f0;
            row.day = days.text(bid.f1);
            row.total = of.bids.total;
            row.rank1 = of.bids.rank1;
            row.rank2 = of.bids.rank2;
            row.rank3 = of.bids.rank3;
            row.least = of.least;
            row.highest = of.highest;
            row.average = of.sum / of.bids.total;
            row.sum = of.sum;
            out.collect(row);
        }
    }

    private static final class LastBid extends KeyedProcessFunction<Tuple2<Long, Long>, Events.Bid, Events.Bid> {
        private transient ValueState<Long> time;

        @Override
        public void open(OpenContext context) {
            time = getRuntimeContext().getState(new ValueStateDescriptor<>("time", Types.LONG));
        }

        @Override
        public void processElement(Events.Bid bid, Context context, Collector<Events.Bid> out) throws Exception {
            Long before = time.value();
            if (before == null || bid.dateTime >= before) {
                time.update(bid.dateTime);
                out.collect(bid);
            }
        }
    }

    private static final class TopBids
            extends KeyedProcessFunction<Long, Events.Bid, Tuple2<Integer, Events.Bid>> {
        private static final int PLACES = 10;
        private transient ValueState<List<Events.Bid>> top;

        @Override
        public void open(OpenContext context) {
            top =
                    getRuntimeContext()
                            .getState(
                                    new ValueStateDescriptor<>("top", Types.LIST(TypeInformation.of(Events.Bid.class))));
        }

        @Override
        public void processElement(Events.Bid bid, Context context, Collector<Tuple2<Integer, Events.Bid>> out)
                throws Exception {
            List<Events.Bid> bids = top.value();
            if (bids == null) {
                bids = new ArrayList<>(PLACES);
            }
            int place = bids.size();
            while (place > 0 && bids.get(place - 1).price < bid.price) {
                place--;
            }
            if (place == PLACES) {
                return;
            }
            if (bids.size() == PLACES) {
                bids.remove(PLACES - 1);
            }
            bids.add(place, bid);
            top.update(bids);
            for (; place < bids.size(); place++) {
                out.collect(new Tuple2<>(place + 1, bids.get(place)));
            }
        }
    }

    private static final class Expand
            extends KeyedCoProcessFunction<Long, Events.Auction, Events.Bid, Tuple2<Events.Bid, Events.Auction>> {
        private transient ValueState<Events.Auction> auction;
        private transient ListState<Events.Bid> early;

        @Override
        public void open(OpenContext context) {
            auction =
                    getRuntimeContext()
                            .getState(new ValueStateDescriptor<>("auction", TypeInformation.of(Events.Auction.class)));
            early =
                    getRuntimeContext()
                            .getListState(new ListStateDescriptor<>("early", TypeInformation.of(Events.Bid.class)));
        }

        @Override
        public void processElement1(
                Events.Auction opened, Context context, Collector<Tuple2<Events.Bid, Events.Auction>> out)
                throws Exception {
            if (opened.category == 10) {
                auction.update(opened);
                for (Events.Bid bid : early.get()) {
                    out.collect(new Tuple2<>(bid, opened));
                }
            } else {
                Events.Auction other = new Events.Auction();
                other.category = opened.category;
                auction.update(other);
            }
            early.clear();
        }

        @Override
        public void processElement2(
                Events.Bid bid, Context context, Collector<Tuple2<Events.Bid, Events.Auction>> out) throws Exception {
            Events.Auction opened = auction.value();
            if (opened == null) {
                early.add(bid);
            } else if (opened.category == 10) {
                out.collect(new Tuple2<>(bid, opened));
            }
        }
    }
}
