// Varlink: see docs/ARCHITECTURE.md.
