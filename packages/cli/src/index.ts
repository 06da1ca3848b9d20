// The flink command line.
export {}
