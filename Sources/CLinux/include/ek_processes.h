// The process events connector (linux/cn_proc.h). Every call returns a value >= 0 or -errno.
#pragma once
#include <stdint.h>

enum { EK_PROCESS_ANSWER = 0, EK_PROCESS_FORK = 1, EK_PROCESS_NAME = 2, EK_PROCESS_EXIT = 3 };

// A process was forked by another one, runs another program or has another name, or ended. As the answer to the subscription: error 0, or
// an errno.
struct ek_process_event {
    int32_t what;
    int32_t process;
    int32_t parent;
    int32_t error;
};

// A socket that has asked for the events of all processes. -ECONNREFUSED outside the host's network namespace, -EPERM without CAP_NET_ADMIN.
int ek_process_events_open(void);
// What has happened since, without waiting, threads left out: how many events, 0 when the messages read held none, -EAGAIN when nothing
// waits, -ENOBUFS when events were lost.
int ek_process_events_read(int fd, struct ek_process_event *events, int capacity);
