// JSON: see docs/ARCHITECTURE.md.
