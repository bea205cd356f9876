#define _GNU_SOURCE
#include "ek_program.h"

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

// Walks an absolute path component by component, through symbolic links. 0: it is root's all the way, or not there; else `culprit` is not.
static int is_insecure(const char *start, char culprit[PATH_MAX]) {
    char path[PATH_MAX], done[PATH_MAX] = "", next[PATH_MAX], target[PATH_MAX];
    if (strlen(start) >= sizeof path) return 0;  // execve says so
    strcpy(path, start);
    char *rest = path;
    for (int links = 0; links < 40;) {
        while (*rest == '/') rest++;
        struct stat status;
        strcpy(culprit, *done ? done : "/");
        if (lstat(culprit, &status) < 0) return 0;
        if (!S_ISLNK(status.st_mode) && !is_roots(&status)) return 1;
        if (!*rest) return 0;
        size_t length = strcspn(rest, "/");
        if (strlen(done) + 1 + length >= sizeof next) return 0;
        strcpy(next, done);
        strcat(next, "/");
        strncat(next, rest, length);
        rest += length;
        if (lstat(next, &status) < 0) return 0;
        if (!S_ISLNK(status.st_mode)) {
            strcpy(done, next);
            continue;
        }
        links++;
        strcpy(culprit, next);
        if (status.st_uid != 0) return 1;  // in a sticky directory its owner can change where it leads
        ssize_t count = readlink(next, target, sizeof target - 1);
        if (count <= 0 || (size_t)count + 1 + strlen(rest) >= sizeof target) return 0;
        target[count] = 0;
        strcat(target, "/");
        strcat(target, rest);
        if (target[0] == '/') done[0] = 0;
        strcpy(path, target);
        rest = path;
        // "..": leave a component that has been looked at.
        while (strncmp(rest, "../", 3) == 0 || strncmp(rest, "./", 2) == 0) {
            if (rest[1] == '.') {
                char *slash = strrchr(done, '/');
                if (slash) *slash = 0;
            }
            rest += rest[1] == '.' ? 3 : 2;
        }
    }
    return 0;  // ELOOP: execve says so
}

int ek_program_replaceable(const char *path, char *part) { return is_insecure(path, part); }

static void reset(void) {
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > 1024) {
        limit.rlim_cur = 1024;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    umask(022);
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
    reset();
    if (program->uid != UINT32_MAX) {
        gid_t group = program->gid;
        if (setgroups(1, &group) < 0 || setgid(group) < 0 || setuid(program->uid) < 0)
            return report(messages, EK_PROGRAM_IDENTITY, errno, NULL);
    }
    // After the change of user, which takes it back.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) return report(messages, EK_PROGRAM_EXECUTE, ESRCH, "the parent");
    syscall(SYS_close_range, 3, UINT_MAX, 4u /* CLOSE_RANGE_CLOEXEC */);
    int error = ENOENT;
    const char *tried = *program->paths;
    for (const char *const *path = program->paths; *path; path++) {
        char culprit[PATH_MAX];
        if (program->is_checked && access(*path, X_OK) == 0 && is_insecure(*path, culprit)) {
            report(messages, EK_PROGRAM_INSECURE, EACCES, culprit);
            if (program->is_secure) return;
        }
        execve(*path, program->argv, program->environment);
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
