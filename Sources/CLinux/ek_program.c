#define _GNU_SOURCE
#include "ek_program.h"
#include "ek_netns.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Everything below up to ek_program_start runs in the child between fork and execve: async-signal-safe calls only.

static void report(int fd, int stage, int error, const char *path) {
    struct ek_program_report message = {.stage = stage, .error = error};
    if (path) strncpy(message.path, path, sizeof message.path - 1);
    ssize_t ignored = write(fd, &message, sizeof message);
    (void)ignored;
}

// Nobody but root can put something else there. In a sticky directory nobody can replace what is root's.
static int is_roots(const struct stat *status) {
    if (status->st_uid != 0) return 0;
    if (S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX)) return 1;
    return !(status->st_mode & S_IWOTH) && !((status->st_mode & S_IWGRP) && status->st_gid != 0);
}

// Walks an absolute path component by component, through symbolic links, by its real name: `done` holds neither links nor "..", so that
// what is looked at is what execve finds. 0: it is root's all the way; 1: `culprit` is not; -errno: it cannot be looked at, or is not there.
static int look(const char *path, char culprit[PATH_MAX]) {
    char done[PATH_MAX] = "", rest[PATH_MAX], target[PATH_MAX];
    struct stat status;
    if (*path != '/') return -EINVAL;
    if (strlen(path) >= sizeof rest) return -ENAMETOOLONG;
    strcpy(rest, path);
    strcpy(culprit, "/");
    if (lstat(culprit, &status) < 0) return -errno;
    if (!is_roots(&status)) return 1;
    char *next = rest;
    for (int links = 0;;) {
        // `done` is a directory here ("" is the root).
        next += strspn(next, "/");
        if (!*next) return 0;
        size_t length = strcspn(next, "/"), depth = strlen(done);
        const char *name = next;
        next += length;
        if (length == 1 && name[0] == '.') continue;
        if (length == 2 && name[0] == '.' && name[1] == '.') {
            char *slash = strrchr(done, '/');
            if (slash) *slash = 0;
            continue;
        }
        if (depth + 1 + length >= sizeof done) return -ENAMETOOLONG;
        done[depth] = '/';
        memcpy(done + depth + 1, name, length);
        done[depth + 1 + length] = 0;
        strcpy(culprit, done);
        if (lstat(done, &status) < 0) return -errno;
        if (!S_ISLNK(status.st_mode)) {
            if (!is_roots(&status)) return 1;
            if (*next && !S_ISDIR(status.st_mode)) return -ENOTDIR;
            continue;
        }
        if (status.st_uid != 0) return 1;  // in a sticky directory its owner can change where it leads
        if (++links > 40) return -ELOOP;
        ssize_t count = readlink(done, target, sizeof target);
        if (count < 0) return -errno;
        if ((size_t)count + strlen(next) >= sizeof target) return -ENAMETOOLONG;
        strcpy(target + count, next);
        strcpy(rest, target);
        next = rest;
        done[*rest == '/' ? 0 : depth] = 0;
    }
}

int ek_program_replaceable(const char *path, char *part) { return look(path, part) == 1; }

// What execve says of a path that is not to be tried: an error of look, or that it cannot be executed. 0: it may be tried.
static int refusal(const struct ek_program *program, const char *path, int messages) {
    char culprit[PATH_MAX];
    if (!program->is_checked) return 0;
    int found = look(path, culprit);
    if (found < 0) return program->is_secure ? -found : 0;
    if (found == 0) return 0;
    // One of several that cannot be executed is passed over.
    if (access(path, X_OK) < 0) return program->is_secure ? errno : 0;
    report(messages, EK_PROGRAM_INSECURE, EACCES, culprit);
    if (program->is_secure) _exit(127);
    return 0;
}

static void reset(mode_t mask) {
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 1024) {
        limit.rlim_cur = 1024;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    umask(mask);
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        ssize_t ignored = write(score, "0", 1);
        (void)ignored;
        close(score);
    }
    if (chdir("/") < 0) return;
}

static void run(const struct ek_program *program, int output, int messages, pid_t parent) {
    setsid();
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
        return report(messages, EK_PROGRAM_EXECUTE, errno, "/dev/null");
    reset(program->umask);
    int network = program->network_namespace ? ek_netns_enter(program->network_namespace) : 0;
    if (network < 0) return report(messages, EK_PROGRAM_NETWORK, -network, program->network_namespace);
    if (program->uid != UINT32_MAX) {
        if (setgroups(program->group_count, program->groups) < 0 || setgid(program->gid) < 0 || setuid(program->uid) < 0)
            return report(messages, EK_PROGRAM_IDENTITY, errno, NULL);
    }
    // After the change of user, which takes it back.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) return report(messages, EK_PROGRAM_EXECUTE, ESRCH, "the parent");
    syscall(SYS_close_range, 3, UINT_MAX, 4u /* CLOSE_RANGE_CLOEXEC */);
    int error = ENOENT;
    const char *tried = *program->paths;
    for (const char *const *path = program->paths; *path; path++) {
        errno = refusal(program, *path, messages);
        if (errno == 0) execve(*path, program->argv, program->environment);
        if (errno == ENOENT || errno == ENOTDIR) continue;
        error = errno;
        tried = *path;
        if (errno != EACCES) break;
    }
    report(messages, EK_PROGRAM_EXECUTE, error, tried);
}

pid_t ek_program_start(const struct ek_program *program, int *output, int *messages) {
    int out[2], says[2];
    if (pipe2(out, O_CLOEXEC) < 0) return -errno;
    if (pipe2(says, O_CLOEXEC) < 0) {
        int error = errno;
        close(out[0]);
        close(out[1]);
        return -error;
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        run(program, out[1], says[1], parent);
        _exit(127);
    }
    int error = errno;
    close(out[1]);
    close(says[1]);
    if (pid < 0) {
        close(out[0]);
        close(says[0]);
        return -error;
    }
    fcntl(out[0], F_SETFL, O_NONBLOCK);
    fcntl(says[0], F_SETFL, O_NONBLOCK);
    *output = out[0];
    *messages = says[0];
    return pid;
}

int ek_peek(pid_t pid, int *status) {
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0) return -errno;
    if (info.si_pid == 0) return 0;
    *status = info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
    return 1;
}
