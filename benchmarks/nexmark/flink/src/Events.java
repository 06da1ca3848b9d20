/** The three kinds of event, as JavaBeans without methods: what Flink's own serializer for such classes expects. */
public final class Events {
    private Events() {}

    public static class Person {
        public long id;
        public String name;
        public String emailAddress;
        public String creditCard;
        public String city;
        public String state;
        public long dateTime;
        public String extra;
    }

    public static class Auction {
        public long id;
        public String itemName;
        public String description;
        public long initialBid;
        public long reserve;
        public long dateTime;
        public long expires;
        public long seller;
        public long category;
        public String extra;
    }

    public static class Bid {
        public long auction;
        public long bidder;
        public long price;
        public String channel;
        public String url;
        public long dateTime;
        public String extra;
    }

    /** One of the three; the others are null. */
    public static class Event {
        public int type;
        public Person person;
        public Auction auction;
        public Bid bid;

        public long time() {
            return type == 2 ? bid.dateTime : type == 1 ? auction.dateTime : person.dateTime;
        }
    }
}
