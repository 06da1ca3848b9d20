// Connectors to external systems.
export {}
