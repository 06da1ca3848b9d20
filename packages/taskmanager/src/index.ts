// TaskExecutor: slots, tasks and the thread that runs them.
export {}
