#define _GNU_SOURCE
#include "ek_unix.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(const char *path, struct sockaddr_un *address, socklen_t *length) {
    size_t n = strlen(path);
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (n == 0 || n >= sizeof address->sun_path) return -ENAMETOOLONG;
    memcpy(address->sun_path, path, n);
    *length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] != '@'));
    if (path[0] == '@') address->sun_path[0] = 0;
    return 0;
}

static int fail(int fd) {
    int error = errno;
    close(fd);
    return -error;
}

int ek_unix_connect(const char *path, int nonblocking) {
    struct sockaddr_un address;
    socklen_t length;
    int error = address_of(path, &address, &length);
    if (error) return error;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
    if (fd < 0) return -errno;
    if (connect(fd, (struct sockaddr *)&address, length) < 0) return fail(fd);
    return fd;
}

// True when a process of root or of this user listens at `path`, or might: its queue is full. Whatever else stands there is in the way.
static int is_served(const char *path) {
    struct stat status;
    if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode)) return 0;
    if (status.st_uid != 0 && status.st_uid != geteuid()) return 0;
    int fd = ek_unix_connect(path, 1);
    if (fd >= 0) close(fd);
    return fd >= 0 || fd == -EAGAIN;
}

// The file has its mode from the moment it exists: who waits for it to appear is not turned away in between.
static int bind_with_mode(int fd, const struct sockaddr_un *address, socklen_t length, unsigned mode) {
    mode_t before = umask(~mode & 0777);
    int result = bind(fd, (const struct sockaddr *)address, length);
    int error = errno;
    umask(before);
    errno = error;
    return result;
}

int ek_unix_listen(const char *path, unsigned mode) {
    struct sockaddr_un address;
    socklen_t length;
    int error = address_of(path, &address, &length);
    if (error) return error;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    if (bind_with_mode(fd, &address, length, mode) < 0) {
        if (errno != EADDRINUSE || path[0] == '@') return fail(fd);
        if (is_served(path)) {
            close(fd);
            return -EADDRINUSE;
        }
        if (unlink(path) < 0 || bind_with_mode(fd, &address, length, mode) < 0) return fail(fd);
    }
    if (listen(fd, 1024) < 0) return fail(fd);
    return fd;
}

int ek_accept(int fd) {
    int connection;
    do connection = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    while (connection < 0 && (errno == EINTR || errno == ECONNABORTED));
    return connection < 0 ? -errno : connection;
}

int ek_socketpair(int fds[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0 ? -errno : 0;
}

int ek_peer_credentials(int fd, struct ek_peer *peer) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0) return -errno;
    peer->pid = credentials.pid;
    peer->uid = credentials.uid;
    peer->gid = credentials.gid;
    return 0;
}

int ek_peer_groups(int fd, uint32_t *groups, size_t capacity) {
    _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "gid_t is 32 bits");
    socklen_t length = (socklen_t)(capacity * sizeof(gid_t));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) < 0) return -errno;
    return (int)(length / sizeof(gid_t));
}

int ek_user_id(const char *name, uint32_t *id) {
    struct passwd *entry = getpwnam(name);
    if (entry) *id = entry->pw_uid;
    return entry != NULL;
}

int ek_group_id(const char *name, uint32_t *id) {
    struct group *entry = getgrnam(name);
    if (entry) *id = entry->gr_gid;
    return entry != NULL;
}

int ek_notify(const char *message) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path || !*path) return 0;
    struct sockaddr_un address;
    socklen_t length;
    int error = address_of(path, &address, &length);
    if (error) return error;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    ssize_t sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address,
                          length);
    if (sent < 0) return fail(fd);
    close(fd);
    return 1;
}
