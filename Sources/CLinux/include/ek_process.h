// Child processes: started with a clean signal mask in their own process group, watched through a pidfd. -errno on failure.
#pragma once
#include <stdint.h>
#include <sys/types.h>

// Starts argv[0] (an absolute path) with `environment`; standard input is /dev/null. With uid != UINT32_MAX the child
// first becomes that user and group without supplementary groups. The child gets SIGTERM when this process dies.
pid_t ek_spawn(char *const argv[], char *const environment[], uint32_t uid, uint32_t gid);
int ek_pidfd_open(pid_t pid);
// Reaps `pid` if it ended: 0 still running; 1 and *status: exit status 0...255, or 256 + the signal that ended it.
int ek_reap(pid_t pid, int *status);
