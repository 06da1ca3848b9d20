// Operator harness, fakes and simulation for this project's own tests.
export {}
