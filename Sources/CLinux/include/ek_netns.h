// Network namespaces. -errno on failure.
#pragma once

// Moves the calling thread into the network namespace at `path` (/run/netns/NAME, /proc/PID/ns/net). Sockets that it made
// before stay where they are, and those it makes from now on stay there when it leaves again.
int ek_netns_enter(const char *path);
