// HealthCheck: see docs/ARCHITECTURE.md.
