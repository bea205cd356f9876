#define _GNU_SOURCE
#include "ek_io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(EK_READ == EPOLLIN && EK_WRITE == EPOLLOUT && EK_ERROR == EPOLLERR, "epoll bits");
_Static_assert(EK_HANGUP == EPOLLHUP && EK_READ_HANGUP == EPOLLRDHUP, "epoll bits");
_Static_assert(EK_EPOLL_ADD == EPOLL_CTL_ADD && EK_EPOLL_DELETE == EPOLL_CTL_DEL, "epoll operations");
_Static_assert(EK_EPOLL_MODIFY == EPOLL_CTL_MOD, "epoll operations");

static int result(int value) { return value < 0 ? -errno : value; }

int ek_close(int fd) { return result(close(fd)); }

ssize_t ek_read(int fd, void *buffer, size_t count) {
    ssize_t n;
    do n = read(fd, buffer, count);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

ssize_t ek_write(int fd, const void *buffer, size_t count) {
    ssize_t n;
    do n = write(fd, buffer, count);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

int ek_memory_file(const void *octets, size_t count) {
    int fd = memfd_create("evenkeel", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    for (size_t done = 0; done < count;) {
        ssize_t part = ek_write(fd, (const char *)octets + done, count - done);
        if (part < 0) {
            close(fd);
            return (int)part;
        }
        done += (size_t)part;
    }
    return fd;
}

int ek_log_open(void) {
    struct stat status;
    if (fstat(STDERR_FILENO, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode))) {
        // O_NONBLOCK on the descriptor itself would change it for everybody who shares it: the shell, say.
        int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0) return fd;
    }
    return STDERR_FILENO;
}

ssize_t ek_log_write(int fd, const void *buffer, size_t count) {
    ssize_t n;
    do n = send(fd, buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0 || errno != ENOTSOCK) return n < 0 ? -errno : n;
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && !(flags & O_NONBLOCK)) {
        // A pipe that is ready takes PIPE_BUF octets without waiting (pipe(7)); a regular file is always ready.
        struct pollfd entry = {.fd = fd, .events = POLLOUT};
        if (poll(&entry, 1, 0) != 1) return -EAGAIN;
        if (count > PIPE_BUF) count = PIPE_BUF;
    }
    return ek_write(fd, buffer, count);
}

int ek_open(const char *path, int flags, unsigned mode) { return result(open(path, flags | O_CLOEXEC, mode)); }

int ek_fdatasync(int fd) { return result(fdatasync(fd)); }

int ek_set_nonblocking(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : result(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

int ek_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int ek_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return result(epoll_ctl(epoll, operation, fd, &event));
}

int ek_epoll_wait(int epoll, struct ek_event *events, int capacity, int64_t timeout_ns) {
    // Kernels before 5.11, and filters of system calls that are older, have no epoll_pwait2.
    static atomic_bool is_missing;
    struct epoll_event ready[64];
    const struct timespec limit = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    const struct timespec *timeout = timeout_ns < 0 ? NULL : &limit;
    int n = -1;
    if (capacity > 64) capacity = 64;
    if (!is_missing) {
        n = epoll_pwait2(epoll, ready, capacity, timeout, NULL);
        is_missing = n < 0 && (errno == ENOSYS || errno == EPERM);
    }
    if (is_missing) {
        struct pollfd entry = {.fd = epoll, .events = POLLIN};
        if (timeout_ns != 0 && ppoll(&entry, 1, timeout, NULL) < 0) return -errno;
        n = epoll_wait(epoll, ready, capacity, 0);
    }
    if (n < 0) return -errno;
    for (int i = 0; i < n; i++) {
        events[i].events = ready[i].events;
        events[i].data = ready[i].data.u64;
    }
    return n;
}

int ek_timerfd_create(void) { return result(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)); }

int ek_timerfd_arm(int fd, int64_t nanoseconds) {
    if (nanoseconds < 1) nanoseconds = 1;  // zero would disarm
    struct itimerspec spec = {
        .it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    return result(timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL));
}

int ek_signalfd(const int *signals, size_t count) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < count; i++) sigaddset(&set, signals[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
    return result(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

int ek_signalfd_read(int fd) {
    struct signalfd_siginfo info;
    ssize_t n = ek_read(fd, &info, sizeof info);
    return n < 0 ? (int)n : n == sizeof info ? (int)info.ssi_signo : -EAGAIN;
}

static int64_t clock_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ek_monotonic_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t ek_boottime_ns(void) { return clock_ns(CLOCK_BOOTTIME); }
int64_t ek_realtime_ns(void) { return clock_ns(CLOCK_REALTIME); }

int64_t ek_raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    return (int64_t)limit.rlim_cur;
}
