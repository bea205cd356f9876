#include "ek_inotify.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>

int ek_inotify_create(void) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int ek_inotify_watch(int inotify, const char *directory, int creation) {
    int number = inotify_add_watch(inotify, directory,
                                   (creation ? IN_CREATE : 0) | IN_ONLYDIR | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF);
    return number < 0 ? -errno : number;
}

int ek_inotify_forget(int inotify, int number) {
    return inotify_rm_watch(inotify, number) < 0 ? -errno : 0;
}

int ek_resolve(const char *path, char *directory, char *name, size_t capacity) {
    char whole[PATH_MAX], real[PATH_MAX];
    if (strlen(path) >= sizeof whole) return -ENAMETOOLONG;
    strcpy(whole, path);
    if (realpath(path, real)) strcpy(whole, real);
    char *slash = strrchr(whole, '/');
    const char *base = slash ? slash + 1 : whole;
    if (strlen(base) >= capacity) return -ENAMETOOLONG;
    strcpy(name, base);
    if (slash == whole) slash++;
    if (slash) *slash = 0;
    if (!realpath(slash ? whole : ".", real)) return -errno;
    if (strlen(real) >= capacity) return -ENAMETOOLONG;
    strcpy(directory, real);
    return 0;
}
