// Typed remote interfaces of the four components and their messages.
export {}
