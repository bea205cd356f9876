#include "ek_processes.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int ek_process_events_open(void) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR);
    if (fd < 0) return -errno;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
    struct cn_msg message = {.id = {.idx = CN_IDX_PROC, .val = CN_VAL_PROC}, .len = sizeof(uint32_t)};
    uint32_t operation = PROC_CN_MCAST_LISTEN;
    char request[NLMSG_HDRLEN + sizeof message + sizeof operation];
    struct nlmsghdr header = {.nlmsg_len = sizeof request, .nlmsg_type = NLMSG_DONE};
    memset(request, 0, sizeof request);
    memcpy(request, &header, sizeof header);
    memcpy(request + NLMSG_HDRLEN, &message, sizeof message);
    memcpy(request + NLMSG_HDRLEN + sizeof message, &operation, sizeof operation);
    int size = 1 << 20;
    // Beyond net.core.rmem_max where that is allowed.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || send(fd, request, sizeof request, 0) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

static int decode(const struct proc_event *event, struct ek_process_event *out) {
    memset(out, 0, sizeof *out);
    switch ((unsigned)event->what) {
    case PROC_EVENT_NONE:
        out->what = EK_PROCESS_ANSWER;
        out->error = (int32_t)event->event_data.ack.err;
        return 1;
    case PROC_EVENT_FORK:
        out->what = EK_PROCESS_FORK;
        out->process = event->event_data.fork.child_pid;
        out->parent = event->event_data.fork.parent_tgid;
        return event->event_data.fork.child_pid == event->event_data.fork.child_tgid;
    case PROC_EVENT_EXEC:
        out->what = EK_PROCESS_NAME;
        out->process = event->event_data.exec.process_tgid;
        return 1;
    case PROC_EVENT_COMM:
        out->what = EK_PROCESS_NAME;
        out->process = event->event_data.comm.process_tgid;
        return event->event_data.comm.process_pid == event->event_data.comm.process_tgid;
    case PROC_EVENT_EXIT:
        out->what = EK_PROCESS_EXIT;
        out->process = event->event_data.exit.process_tgid;
        return event->event_data.exit.process_pid == event->event_data.exit.process_tgid;
    default: return 0;
    }
}

int ek_process_events_read(int fd, struct ek_process_event *events, int capacity) {
    int count = 0;
    for (int turn = 0; turn < capacity; turn++) {
        char buffer[512] __attribute__((aligned(8)));
        struct sockaddr_nl sender;
        socklen_t length = sizeof sender;
        ssize_t n = recvfrom(fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&sender, &length);
        if (n < 0) {
            if (errno == EINTR) continue;
            return count > 0 && errno != ENOBUFS ? count : turn > 0 && errno == EAGAIN ? count : -errno;
        }
        // Only the kernel has number 0.
        if (length != sizeof sender || sender.nl_pid != 0) continue;
        const size_t head = NLMSG_HDRLEN + sizeof(struct cn_msg);
        if ((size_t)n < head) continue;
        struct cn_msg message;
        memcpy(&message, buffer + NLMSG_HDRLEN, sizeof message);
        if (message.id.idx != CN_IDX_PROC || message.id.val != CN_VAL_PROC) continue;
        struct proc_event event;
        memset(&event, 0, sizeof event);
        size_t body = (size_t)n - head;
        memcpy(&event, buffer + head, body < sizeof event ? body : sizeof event);
        if (decode(&event, &events[count])) count++;
    }
    return count;
}
