// Dispatcher: accepts jobs and runs one JobMaster for each.
export {}
