import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeHint;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.api.java.tuple.Tuple4;
import org.apache.flink.api.java.tuple.Tuple5;
import org.apache.flink.api.java.tuple.Tuple7;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.streaming.api.functions.windowing.WindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingProcessingTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** Queries without keys, and those of windows that Flink's DataStream API has; those with state are in {@link KeyedQueries}. */
public final class Queries {
    private Queries() {}

    static void build(String query, DataStream<Events.Event> events) {
        DataStream<Events.Bid> bids = events.flatMap(new Bids());
        result(query, events, bids).sinkTo(new DiscardingSink<>());
    }

    @SuppressWarnings("unchecked")
    private static DataStream<Object> result(
            String query, DataStream<Events.Event> events, DataStream<Events.Bid> bids) {
        return (DataStream<Object>) (DataStream<?>) stream(query, events, bids);
    }

    private static DataStream<?> stream(String query, DataStream<Events.Event> events, DataStream<Events.Bid> bids) {
        switch (query) {
            case "q0":
                return bids.map(bid -> new Tuple5<>(bid.auction, bid.bidder, bid.price, bid.dateTime, bid.extra))
                        .returns(new TypeHint<Tuple5<Long, Long, Long, Long, String>>() {});
            case "q1":
                return bids.map(
                                bid ->
                                        new Tuple5<>(
                                                bid.auction, bid.bidder, bid.price * 908 / 1000.0, bid.dateTime, bid.extra))
                        .returns(new TypeHint<Tuple5<Long, Long, Double, Long, String>>() {});
            case "q2":
                return bids.filter(bid -> bid.auction % 123 == 0)
                        .map(bid -> new Tuple2<>(bid.auction, bid.price))
                        .returns(new TypeHint<Tuple2<Long, Long>>() {});
            case "q11":
                return bids.map(bid -> bid.bidder)
                        .returns(Long.class)
                        .keyBy(bidder -> bidder)
                        .window(EventTimeSessionWindows.withGap(Duration.ofSeconds(10)))
                        .aggregate(new Count(), new BidderCount());
            case "q12":
                return bids.map(bid -> bid.bidder)
                        .returns(Long.class)
                        .keyBy(bidder -> bidder)
                        .window(TumblingProcessingTimeWindows.of(Duration.ofSeconds(10)))
                        .aggregate(new Count(), new BidderCount());
            case "q13":
                return bids.flatMap(new Enrich());
            case "q14":
                return bids.flatMap(new MiddlePrices());
            case "q21":
                return bids.flatMap(new ChannelIds());
            case "q22":
                return bids.map(
                                bid -> {
                                    String[] parts = bid.url.split("/", 7);
                                    return new Tuple7<>(
                                            bid.auction,
                                            bid.bidder,
                                            bid.price,
                                            bid.channel,
                                            parts.length > 3 ? parts[3] : null,
                                            parts.length > 4 ? parts[4] : null,
                                            parts.length > 5 ? parts[5] : null);
                                })
                        .returns(new TypeHint<Tuple7<Long, Long, Long, String, String, String, String>>() {});
            default:
                return KeyedQueries.stream(query, events, bids);
        }
    }

    private static final class Bids implements FlatMapFunction<Events.Event, Events.Bid> {
        @Override
        public void flatMap(Events.Event event, Collector<Events.Bid> out) {
            if (event.bid != null) {
                out.collect(event.bid);
            }
        }
    }

    /** Counts in place: the accumulator is an object on the heap. */
    static final class Count implements AggregateFunction<Long, Count.Number, Long> {
        public static final class Number {
            public long value;
        }

        @Override
        public Number createAccumulator() {
            return new Number();
        }

        @Override
        public Number add(Long element, Number number) {
            number.value++;
            return number;
        }

        @Override
        public Long getResult(Number number) {
            return number.value;
        }

        @Override
        public Number merge(Number left, Number right) {
            left.value += right.value;
            return left;
        }
    }

    private static final class BidderCount
            implements WindowFunction<Long, Tuple4<Long, Long, Long, Long>, Long, TimeWindow> {
        @Override
        public void apply(
                Long bidder, TimeWindow window, Iterable<Long> counts, Collector<Tuple4<Long, Long, Long, Long>> out) {
            out.collect(new Tuple4<>(bidder, counts.iterator().next(), window.getStart(), window.getEnd()));
        }
    }

    private static final class Enrich
            extends RichFlatMapFunction<Events.Bid, Tuple5<Long, Long, Long, Long, String>> {
        private transient Map<Long, String> sideInput;

        @Override
        public void open(OpenContext context) {
            sideInput = new HashMap<>();
            for (long key = 0; key < 10_000; key++) {
                sideInput.put(key, "value " + key);
            }
        }

        @Override
        public void flatMap(Events.Bid bid, Collector<Tuple5<Long, Long, Long, Long, String>> out) {
            String value = sideInput.get(bid.auction % 10_000);
            if (value != null) {
                out.collect(new Tuple5<>(bid.auction, bid.bidder, bid.price, bid.dateTime, value));
            }
        }
    }

    private static final class MiddlePrices
            implements FlatMapFunction<Events.Bid, Tuple7<Long, Long, Double, String, Long, String, Long>> {
        @Override
        public void flatMap(Events.Bid bid, Collector<Tuple7<Long, Long, Double, String, Long, String, Long>> out) {
            double price = bid.price * 908 / 1000.0;
            if (price <= 1_000_000 || price >= 50_000_000) {
                return;
            }
            long hour = bid.dateTime / 3_600_000 % 24;
            String type = hour >= 8 && hour <= 18 ? "dayTime" : hour <= 6 || hour >= 20 ? "nightTime" : "otherTime";
            long count = 0;
            for (int at = bid.extra.indexOf('c'); at >= 0; at = bid.extra.indexOf('c', at + 1)) {
                count++;
            }
            out.collect(new Tuple7<>(bid.auction, bid.bidder, price, type, bid.dateTime, bid.extra, count));
        }
    }

    private static final class ChannelIds
            implements FlatMapFunction<Events.Bid, Tuple5<Long, Long, Long, String, String>> {
        private static final Pattern ID = Pattern.compile("(?:&|^)channel_id=([^&]*)");

        @Override
        public void flatMap(Events.Bid bid, Collector<Tuple5<Long, Long, Long, String, String>> out) {
            String id = null;
            switch (bid.channel.toLowerCase(Locale.ROOT)) {
                case "apple":
                    id = "0";
                    break;
                case "google":
                    id = "1";
                    break;
                case "facebook":
                    id = "2";
                    break;
                case "baidu":
                    id = "3";
                    break;
                default:
                    Matcher matcher = ID.matcher(bid.url);
                    if (matcher.find()) {
                        id = matcher.group(1);
                    }
            }
            if (id != null) {
                out.collect(new Tuple5<>(bid.auction, bid.bidder, bid.price, bid.channel, id));
            }
        }
    }

    /** Text of a day; days mostly come many times in a row. */
    static final class Days implements java.io.Serializable {
        private long shown = -1;
        private String text;

        String text(long day) {
            if (day != shown) {
                shown = day;
                text = Instant.ofEpochMilli(day * 86_400_000).atOffset(ZoneOffset.UTC).toLocalDate().toString();
            }
            return text;
        }
    }
}
