// Distributed stream processing in TypeScript: the package that users install.
export {}
