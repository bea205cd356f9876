// Descriptors, epoll, timerfd, signalfd and clocks. Every call returns a value >= 0 or -errno, so that Swift never reads errno.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// One ready registration: `data` is what ek_epoll_ctl was given.
struct ek_event {
    uint32_t events;
    uint64_t data;
};

enum { EK_EPOLL_ADD = 1, EK_EPOLL_DELETE = 2, EK_EPOLL_MODIFY = 3 };
enum { EK_READ = 0x001, EK_WRITE = 0x004, EK_ERROR = 0x008, EK_HANGUP = 0x010, EK_READ_HANGUP = 0x2000 };

int ek_close(int fd);
ssize_t ek_read(int fd, void *buffer, size_t count);
ssize_t ek_write(int fd, const void *buffer, size_t count);
// Where log lines go without waiting: standard error, opened anew without blocking where it is a pipe or a terminal and that is allowed.
int ek_log_open(void);
// Writes what fits without waiting; -EAGAIN when nothing does. A regular file takes everything.
ssize_t ek_log_write(int fd, const void *buffer, size_t count);
int ek_open(const char *path, int flags, unsigned mode);
int ek_fdatasync(int fd);
int ek_set_nonblocking(int fd);
// A file in memory with this content, which has no name.
int ek_memory_file(const void *octets, size_t count);

int ek_epoll_create(void);
int ek_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
// Waits without a time limit (timeout_ns < 0) or at most timeout_ns, and by up to a thousandth of that longer.
int ek_epoll_wait(int epoll, struct ek_event *events, int capacity, int64_t timeout_ns);

int ek_timerfd_create(void);
// Arms at an absolute CLOCK_MONOTONIC time; a time in the past fires at once.
int ek_timerfd_arm(int fd, int64_t nanoseconds);

// Blocks the signals for this process and returns a descriptor that delivers them.
int ek_signalfd(const int *signals, size_t count);
// The next signal's number, or -EAGAIN.
int ek_signalfd_read(int fd);

int64_t ek_monotonic_ns(void);
int64_t ek_boottime_ns(void);
int64_t ek_realtime_ns(void);

// Raises the soft RLIMIT_NOFILE to the hard one; returns the limit now in force, or -errno.
int64_t ek_raise_descriptor_limit(void);
