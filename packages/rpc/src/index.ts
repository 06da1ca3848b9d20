// Endpoints with a single main thread, fencing, transports and heartbeats.
export {}
