// Process entry points and the MiniCluster: where implementations are chosen.
export {}
