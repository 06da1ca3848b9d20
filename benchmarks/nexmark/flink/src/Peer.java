import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.common.RuntimeExecutionMode;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.functions.ScalarFunction;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.DataType;
import org.apache.flink.table.types.logical.RowType;

/**
 * Runs one query several times in this process, so that later runs are warm:
 * {@code java Peer sql|datastream QUERY EVENTS_FILE BLOCK_MS EVENTS PARALLELISM RUNS [SQL_FILE]}
 */
public final class Peer {
    private static final long OUT_OF_ORDERNESS_MS = 4000;

    private Peer() {}

    public static void main(String[] args) throws Exception {
        String form = args[0];
        String query = args[1];
        Path file = Path.of(args[2]);
        long blockMs = Long.parseLong(args[3]);
        long count = Long.parseLong(args[4]);
        int parallelism = Integer.parseInt(args[5]);
        int runs = Integer.parseInt(args[6]);
        long block;
        try (var lines = Files.lines(file)) {
            block = lines.count();
        }
        PreparedEvents[] events = new PreparedEvents[parallelism];
        for (int reader = 0; reader < parallelism; reader++) {
            events[reader] = new PreparedEvents(file, reader, parallelism, block, blockMs);
        }
        for (int run = 0; run < runs; run++) {
            Measurement.begin(events, run);
            StreamExecutionEnvironment env = environment(parallelism);
            if (form.equals("sql")) {
                runSql(env, Files.readString(Path.of(args[7])), count / parallelism);
            } else {
                DataStream<Events.Event> source =
                        env.fromSource(
                                new ReplaySource<>(
                                        PreparedEvents::eventAt,
                                        TypeInformation.of(Events.Event.class),
                                        count / parallelism),
                                WatermarkStrategy.<Events.Event>forBoundedOutOfOrderness(
                                                java.time.Duration.ofMillis(OUT_OF_ORDERNESS_MS))
                                        .withTimestampAssigner((event, before) -> event.time()),
                                "prepared events");
                Queries.build(query, source);
                env.execute(query);
            }
        }
        System.exit(0);
    }

    private static StreamExecutionEnvironment environment(int parallelism) {
        Configuration configuration = new Configuration();
        configuration.setString("execution.runtime-mode", RuntimeExecutionMode.STREAMING.name());
        configuration.setString("pipeline.object-reuse", "true");
        configuration.setString("taskmanager.numberOfTaskSlots", String.valueOf(parallelism));
        configuration.setString("taskmanager.memory.network.min", "128m");
        configuration.setString("taskmanager.memory.network.max", "128m");
        StreamExecutionEnvironment env =
                StreamExecutionEnvironment.createLocalEnvironment(parallelism, configuration);
        env.setParallelism(parallelism);
        return env;
    }

    private static final DataType PERSON =
            DataTypes.ROW(
                    DataTypes.FIELD("id", DataTypes.BIGINT()),
                    DataTypes.FIELD("name", DataTypes.STRING()),
                    DataTypes.FIELD("emailAddress", DataTypes.STRING()),
                    DataTypes.FIELD("creditCard", DataTypes.STRING()),
                    DataTypes.FIELD("city", DataTypes.STRING()),
                    DataTypes.FIELD("state", DataTypes.STRING()),
                    DataTypes.FIELD("dateTime", DataTypes.TIMESTAMP(3)),
                    DataTypes.FIELD("extra", DataTypes.STRING()));
    private static final DataType AUCTION =
            DataTypes.ROW(
                    DataTypes.FIELD("id", DataTypes.BIGINT()),
                    DataTypes.FIELD("itemName", DataTypes.STRING()),
                    DataTypes.FIELD("description", DataTypes.STRING()),
                    DataTypes.FIELD("initialBid", DataTypes.BIGINT()),
                    DataTypes.FIELD("reserve", DataTypes.BIGINT()),
                    DataTypes.FIELD("dateTime", DataTypes.TIMESTAMP(3)),
                    DataTypes.FIELD("expires", DataTypes.TIMESTAMP(3)),
                    DataTypes.FIELD("seller", DataTypes.BIGINT()),
                    DataTypes.FIELD("category", DataTypes.BIGINT()),
                    DataTypes.FIELD("extra", DataTypes.STRING()));
    private static final DataType BID =
            DataTypes.ROW(
                    DataTypes.FIELD("auction", DataTypes.BIGINT()),
                    DataTypes.FIELD("bidder", DataTypes.BIGINT()),
                    DataTypes.FIELD("price", DataTypes.BIGINT()),
                    DataTypes.FIELD("channel", DataTypes.STRING()),
                    DataTypes.FIELD("url", DataTypes.STRING()),
                    DataTypes.FIELD("dateTime", DataTypes.TIMESTAMP(3)),
                    DataTypes.FIELD("extra", DataTypes.STRING()));
    private static final DataType EVENT =
            DataTypes.ROW(
                    DataTypes.FIELD("event_type", DataTypes.INT().notNull()),
                    DataTypes.FIELD("person", PERSON),
                    DataTypes.FIELD("auction", AUCTION),
                    DataTypes.FIELD("bid", BID));

    private static void runSql(StreamExecutionEnvironment env, String sql, long eventsOfReader) throws Exception {
        // Rows in the planner's own form: nothing is converted between source and query.
        TypeInformation<RowData> type = InternalTypeInfo.of((RowType) EVENT.getLogicalType());
        DataStream<RowData> source =
                env.fromSource(
                        new ReplaySource<>(PreparedEvents::rowAt, type, eventsOfReader),
                        WatermarkStrategy.noWatermarks(),
                        "prepared events");
        StreamTableEnvironment tables = StreamTableEnvironment.create(env);
        tables.getConfig().set("table.local-time-zone", "UTC");
        Schema schema =
                Schema.newBuilder()
                        .columnByExpression(
                                "dateTime",
                                "CASE WHEN event_type = 0 THEN person.dateTime"
                                        + " WHEN event_type = 1 THEN auction.dateTime ELSE bid.dateTime END")
                        .watermark("dateTime", "dateTime - INTERVAL '" + OUT_OF_ORDERNESS_MS / 1000 + "' SECOND")
                        .build();
        tables.createTemporaryView("events", source, schema);
        view(
                tables,
                "person",
                "person.id, person.name, person.emailAddress, person.creditCard, person.city, person.state, dateTime,"
                        + " person.extra",
                0);
        view(
                tables,
                "auction",
                "auction.id, auction.itemName, auction.description, auction.initialBid, auction.reserve, dateTime,"
                        + " auction.expires, auction.seller, auction.category, auction.extra",
                1);
        String bid = "bid.auction, bid.bidder, bid.price, bid.channel, bid.url, dateTime, bid.extra";
        view(tables, "bid", bid, 2);
        view(tables, "clocked_bid", bid + ", PROCTIME() AS p_time", 2);
        tables.createTemporarySystemFunction("count_char", CountCharacter.class);
        Table result = tables.sqlQuery(sql);
        result.insertInto(TableDescriptor.forConnector("blackhole").build()).execute().await();
    }

    private static void view(StreamTableEnvironment tables, String name, String fields, int type) {
        tables.createTemporaryView(
                name, tables.sqlQuery("SELECT " + fields + " FROM events WHERE event_type = " + type));
    }

    /** The user's function of q14. */
    public static final class CountCharacter extends ScalarFunction {
        public long eval(String text, String character) {
            long count = 0;
            char wanted = character.charAt(0);
            for (int i = 0; i < text.length(); i++) {
                if (text.charAt(i) == wanted) {
                    count++;
                }
            }
            return count;
        }
    }
}
