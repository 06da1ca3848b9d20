import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;

/**
 * The part of a file of events that one of several readers replays: every so-manieth event, in memory before anything is
 * measured. Replayed round by round with time and ids shifted, exactly as the other side of the comparison does it.
 */
public final class PreparedEvents {
    private final List<Events.Event> events = new ArrayList<>();
    /** Texts of the events for SQL, in the order of the fields; encoded once, on first use. */
    private final List<StringData[]> texts = new ArrayList<>();
    private final long blockMs;
    private final long personsOfBlock;
    private final long auctionsOfBlock;

    /**
     * @param block events of the whole file, of all readers
     * @param blockMs event time of the whole file
     */
    public PreparedEvents(Path file, int reader, int readers, long block, long blockMs) throws IOException {
        this.blockMs = blockMs;
        this.personsOfBlock = block / 50;
        this.auctionsOfBlock = block / 50 * 3;
        ObjectMapper mapper = new ObjectMapper();
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            int number = 0;
            for (String line; (line = lines.readLine()) != null; number++) {
                if (number % readers == reader) {
                    add(mapper.readTree(line));
                }
            }
        }
    }

    private void add(JsonNode node) {
        Events.Event event = new Events.Event();
        event.type = node.get("event_type").asInt();
        String[] text;
        if (event.type == 2) {
            JsonNode from = node.get("bid");
            Events.Bid bid = new Events.Bid();
            bid.auction = from.get("auction").asLong();
            bid.bidder = from.get("bidder").asLong();
            bid.price = from.get("price").asLong();
            bid.channel = from.get("channel").asText();
            bid.url = from.get("url").asText();
            bid.dateTime = from.get("dateTime").asLong();
            bid.extra = from.get("extra").asText();
            event.bid = bid;
            text = new String[] {bid.channel, bid.url, bid.extra};
        } else if (event.type == 1) {
            JsonNode from = node.get("auction");
            Events.Auction auction = new Events.Auction();
            auction.id = from.get("id").asLong();
            auction.itemName = from.get("itemName").asText();
            auction.description = from.get("description").asText();
            auction.initialBid = from.get("initialBid").asLong();
            auction.reserve = from.get("reserve").asLong();
            auction.dateTime = from.get("dateTime").asLong();
            auction.expires = from.get("expires").asLong();
            auction.seller = from.get("seller").asLong();
            auction.category = from.get("category").asLong();
            auction.extra = from.get("extra").asText();
            event.auction = auction;
            text = new String[] {auction.itemName, auction.description, auction.extra};
        } else {
            JsonNode from = node.get("person");
            Events.Person person = new Events.Person();
            person.id = from.get("id").asLong();
            person.name = from.get("name").asText();
            person.emailAddress = from.get("emailAddress").asText();
            person.creditCard = from.get("creditCard").asText();
            person.city = from.get("city").asText();
            person.state = from.get("state").asText();
            person.dateTime = from.get("dateTime").asLong();
            person.extra = from.get("extra").asText();
            event.person = person;
            text =
                    new String[] {
                        person.name, person.emailAddress, person.creditCard, person.city, person.state, person.extra
                    };
        }
        StringData[] encoded = new StringData[text.length];
        for (int i = 0; i < text.length; i++) {
            encoded[i] = StringData.fromString(text[i]);
        }
        events.add(event);
        texts.add(encoded);
    }

    /** The event at a position, from 0: new objects each time. */
    public Events.Event eventAt(long position) {
        int place = (int) (position % events.size());
        long round = position / events.size();
        Events.Event from = events.get(place);
        Events.Event event = new Events.Event();
        event.type = from.type;
        if (from.type == 2) {
            Events.Bid bid = new Events.Bid();
            bid.auction = from.bid.auction + round * auctionsOfBlock;
            bid.bidder = from.bid.bidder + round * personsOfBlock;
            bid.price = from.bid.price;
            bid.channel = from.bid.channel;
            bid.url = from.bid.url;
            bid.dateTime = from.bid.dateTime + round * blockMs;
            bid.extra = from.bid.extra;
            event.bid = bid;
        } else if (from.type == 1) {
            Events.Auction auction = new Events.Auction();
            auction.id = from.auction.id + round * auctionsOfBlock;
            auction.itemName = from.auction.itemName;
            auction.description = from.auction.description;
            auction.initialBid = from.auction.initialBid;
            auction.reserve = from.auction.reserve;
            auction.dateTime = from.auction.dateTime + round * blockMs;
            auction.expires = from.auction.expires + round * blockMs;
            auction.seller = from.auction.seller + round * personsOfBlock;
            auction.category = from.auction.category;
            auction.extra = from.auction.extra;
            event.auction = auction;
        } else {
            Events.Person person = new Events.Person();
            person.id = from.person.id + round * personsOfBlock;
            person.name = from.person.name;
            person.emailAddress = from.person.emailAddress;
            person.creditCard = from.person.creditCard;
            person.city = from.person.city;
            person.state = from.person.state;
            person.dateTime = from.person.dateTime + round * blockMs;
            person.extra = from.person.extra;
            event.person = person;
        }
        return event;
    }

    /** The same as a row of SQL: event_type, person, auction, bid. */
    public RowData rowAt(long position) {
        int place = (int) (position % events.size());
        long round = position / events.size();
        Events.Event from = events.get(place);
        StringData[] text = texts.get(place);
        if (from.type == 2) {
            Events.Bid bid = from.bid;
            return GenericRowData.of(
                    2,
                    null,
                    null,
                    GenericRowData.of(
                            bid.auction + round * auctionsOfBlock,
                            bid.bidder + round * personsOfBlock,
                            bid.price,
                            text[0],
                            text[1],
                            TimestampData.fromEpochMillis(bid.dateTime + round * blockMs),
                            text[2]));
        }
        if (from.type == 1) {
            Events.Auction auction = from.auction;
            return GenericRowData.of(
                    1,
                    null,
                    GenericRowData.of(
                            auction.id + round * auctionsOfBlock,
                            text[0],
                            text[1],
                            auction.initialBid,
                            auction.reserve,
                            TimestampData.fromEpochMillis(auction.dateTime + round * blockMs),
                            TimestampData.fromEpochMillis(auction.expires + round * blockMs),
                            auction.seller + round * personsOfBlock,
                            auction.category,
                            text[2]),
                    null);
        }
        Events.Person person = from.person;
        return GenericRowData.of(
                0,
                GenericRowData.of(
                        person.id + round * personsOfBlock,
                        text[0],
                        text[1],
                        text[2],
                        text[3],
                        text[4],
                        TimestampData.fromEpochMillis(person.dateTime + round * blockMs),
                        text[5]),
                null,
                null);
    }
}
