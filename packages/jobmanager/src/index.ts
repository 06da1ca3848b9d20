// JobMaster: execution graph, scheduling, checkpoint coordination and failover of one job.
export {}
