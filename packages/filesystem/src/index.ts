// File system abstraction and its schemes.
export {}
