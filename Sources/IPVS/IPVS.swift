// IPVS: see docs/ARCHITECTURE.md.
