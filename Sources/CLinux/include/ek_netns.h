// Network namespaces. -errno on failure.
#pragma once

// Moves the calling thread into the network namespace at `path` (/run/netns/NAME, /proc/PID/ns/net) and returns a descriptor of the one
// it was in, for ek_netns_leave. Sockets that it made before stay where they are, and those it makes from now on stay there when it leaves.
int ek_netns_enter(const char *path);

// Moves the calling thread back and closes `previous`.
int ek_netns_leave(int previous);
