#define _GNU_SOURCE
#include "ek_netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

int ek_netns_enter(const char *path) {
    // Not PID 1's: it may be another's, and hidden.
    int previous = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (previous < 0) return -errno;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int error = fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    if (error == 0) return previous;
    close(previous);
    return -error;
}

int ek_netns_leave(int previous) {
    int error = setns(previous, CLONE_NEWNET) < 0 ? errno : 0;
    close(previous);
    return -error;
}
