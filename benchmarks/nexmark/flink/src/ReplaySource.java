import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.core.io.InputStatus;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/** Replays prepared events, many for each poll, and measures itself on the way: see {@link Measurement}. */
public final class ReplaySource<E>
        implements Source<E, ReplaySource.Split, Integer>, ResultTypeQueryable<E> {
    private static final int EVENTS_OF_POLL = 128;

    /** What a reader makes of the event at a position. */
    public interface Shape<E> extends Serializable {
        E at(PreparedEvents events, long position);
    }

    private final Shape<E> shape;
    private final TypeInformation<E> type;
    private final long eventsOfReader;

    /** @param eventsOfReader of each subtask */
    public ReplaySource(Shape<E> shape, TypeInformation<E> type, long eventsOfReader) {
        this.shape = shape;
        this.type = type;
        this.eventsOfReader = eventsOfReader;
    }

    @Override
    public TypeInformation<E> getProducedType() {
        return type;
    }

    @Override
    public Boundedness getBoundedness() {
        return Boundedness.BOUNDED;
    }

    @Override
    public SourceReader<E, Split> createReader(SourceReaderContext context) {
        return new Reader<>(shape, eventsOfReader, context);
    }

    @Override
    public SplitEnumerator<Split, Integer> createEnumerator(SplitEnumeratorContext<Split> context) {
        return new Enumerator(context);
    }

    @Override
    public SplitEnumerator<Split, Integer> restoreEnumerator(SplitEnumeratorContext<Split> context, Integer state) {
        return new Enumerator(context);
    }

    @Override
    public SimpleVersionedSerializer<Split> getSplitSerializer() {
        return new Serializer<>() {
            @Override
            Split read(String text) {
                return new Split(text);
            }

            @Override
            String write(Split split) {
                return split.splitId();
            }
        };
    }

    @Override
    public SimpleVersionedSerializer<Integer> getEnumeratorCheckpointSerializer() {
        return new Serializer<>() {
            @Override
            Integer read(String text) {
                return Integer.valueOf(text);
            }

            @Override
            String write(Integer state) {
                return state.toString();
            }
        };
    }

    /** Which reader. */
    public static final class Split implements SourceSplit {
        private final String id;

        Split(String id) {
            this.id = id;
        }

        @Override
        public String splitId() {
            return id;
        }
    }

    private abstract static class Serializer<T> implements SimpleVersionedSerializer<T> {
        abstract T read(String text);

        abstract String write(T value);

        @Override
        public int getVersion() {
            return 1;
        }

        @Override
        public byte[] serialize(T value) {
            return write(value).getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public T deserialize(int version, byte[] bytes) {
            return read(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    private static final class Enumerator implements SplitEnumerator<Split, Integer> {
        private final SplitEnumeratorContext<Split> context;

        Enumerator(SplitEnumeratorContext<Split> context) {
            this.context = context;
        }

        @Override
        public void start() {}

        @Override
        public void handleSplitRequest(int subtask, String host) {}

        @Override
        public void addSplitsBack(List<Split> splits, int subtask) {}

        @Override
        public void addReader(int subtask) {
            context.assignSplit(new Split(String.valueOf(subtask)), subtask);
        }

        @Override
        public Integer snapshotState(long checkpoint) {
            return 0;
        }

        @Override
        public void close() {}
    }

    private static final class Reader<E> implements SourceReader<E, Split> {
        private final Shape<E> shape;
        private final long count;
        private final int index;
        private final int readers;
        private final PreparedEvents events;
        private final CompletableFuture<Void> assigned = new CompletableFuture<>();
        private final long warmUp;
        private long position;
        private boolean begun;
        private Measurement.Moment from;

        Reader(Shape<E> shape, long count, SourceReaderContext context) {
            this.shape = shape;
            this.count = count;
            this.index = context.getIndexOfSubtask();
            this.readers = context.currentParallelism();
            this.events = Measurement.eventsOf(index);
            this.warmUp = count / 4;
        }

        @Override
        public void start() {}

        @Override
        public InputStatus pollNext(ReaderOutput<E> output) {
            if (!begun) {
                begun = Measurement.allReady(readers);
                return InputStatus.MORE_AVAILABLE;
            }
            if (from == null && position >= warmUp) {
                from = new Measurement.Moment();
            }
            long end = Math.min(count, position + EVENTS_OF_POLL);
            for (; position < end; position++) {
                output.collect(shape.at(events, position));
            }
            if (position < count) {
                return InputStatus.MORE_AVAILABLE;
            }
            Measurement.report(count - warmUp, from, new Measurement.Moment());
            return InputStatus.END_OF_INPUT;
        }

        @Override
        public List<Split> snapshotState(long checkpoint) {
            return Collections.emptyList();
        }

        @Override
        public CompletableFuture<Void> isAvailable() {
            return assigned;
        }

        @Override
        public void addSplits(List<Split> splits) {
            Measurement.ready();
            assigned.complete(null);
        }

        @Override
        public void notifyNoMoreSplits() {}

        @Override
        public void close() {}
    }
}
