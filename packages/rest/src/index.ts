// The monitoring REST API: route definitions, server and derived client.
export {}
