// The DataStream API, the StreamGraph and its translation to a JobGraph.
export {}
