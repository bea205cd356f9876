// Unix stream sockets, their peers' credentials, and the service manager's notification socket. -errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ek_peer {
    int32_t pid;
    uint32_t uid;
    uint32_t gid;
};

// A non-blocking listening socket at `path` with file mode `mode`. A socket file that nobody listens on is replaced;
// one that somebody does gives -EADDRINUSE.
int ek_unix_listen(const char *path, unsigned mode);
// A connected stream socket; `nonblocking` applies to the socket after connecting too.
int ek_unix_connect(const char *path, int nonblocking);
// A non-blocking, close-on-exec connection, or -EAGAIN.
int ek_accept(int fd);
// A connected pair of non-blocking stream sockets.
int ek_socketpair(int fds[2]);

int ek_peer_credentials(int fd, struct ek_peer *peer);
// The peer's supplementary groups as they were when it connected; returns how many were stored.
int ek_peer_groups(int fd, uint32_t *groups, size_t capacity);

// 1 and *id when the name exists in the user or group database, 0 when it does not.
int ek_user_id(const char *name, uint32_t *id);
int ek_group_id(const char *name, uint32_t *id);

// Sends `message` to $NOTIFY_SOCKET without waiting; 0 when there is none, -EAGAIN when its reader is behind.
int ek_notify(const char *message);
