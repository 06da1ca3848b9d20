import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicInteger;

/** What the readers of the run under way share: all tasks of it are in this process. */
public final class Measurement {
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final AtomicInteger READY = new AtomicInteger();
    private static PreparedEvents[] events;
    private static volatile int run;

    private Measurement() {}

    /** By the clock, and of all threads of the process together: collector and compiler included. */
    public static final class Moment {
        final double wallMs = System.nanoTime() / 1e6;
        final double cpuMs = SYSTEM.getProcessCpuTime() / 1e6;

        @Override
        public String toString() {
            return "{\"wallMs\":" + wallMs + ",\"cpuMs\":" + cpuMs + "}";
        }
    }

    /** Before the readers of a run are made. */
    static void begin(PreparedEvents[] ofReaders, int number) {
        events = ofReaders;
        run = number;
        READY.set(0);
    }

    static PreparedEvents eventsOf(int reader) {
        return events[reader];
    }

    static void ready() {
        READY.incrementAndGet();
    }

    /** Readers begin when all are ready. */
    static boolean allReady(int readers) {
        return READY.get() >= readers;
    }

    static void report(long count, Moment from, Moment to) {
        System.out.println("measured {\"run\":" + run + ",\"events\":" + count + ",\"from\":" + from + ",\"to\":" + to + "}");
    }
}
