// VRRP: see docs/ARCHITECTURE.md.
