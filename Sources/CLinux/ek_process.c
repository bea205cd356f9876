#define _GNU_SOURCE
#include "ek_process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

pid_t ek_spawn(char *const argv[], char *const environment[], uint32_t uid, uint32_t gid) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        // Only async-signal-safe calls from here on.
        sigset_t none;
        sigemptyset(&none);
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int ok = getppid() == parent && null >= 0 && dup2(null, 0) >= 0;
        if (ok && uid != UINT32_MAX) ok = setgroups(0, NULL) == 0 && setgid(gid) == 0 && setuid(uid) == 0;
        if (ok) {
            for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
            sigprocmask(SIG_SETMASK, &none, NULL);
            execve(argv[0], argv, environment);
        }
        int error = errno;
        ssize_t ignored = write(report[1], &error, sizeof error);
        (void)ignored;
        _exit(127);
    }
    int error = errno;
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return -error;
    }
    ssize_t n;
    do n = read(report[0], &error, sizeof error);
    while (n < 0 && errno == EINTR);
    close(report[0]);
    if (n == sizeof error) {
        waitpid(pid, NULL, 0);
        return error ? -error : -ECHILD;
    }
    return pid;
}

int ek_pidfd_open(pid_t pid) {
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd;
}

int ek_reap(pid_t pid, int *status) {
    int raw;
    pid_t ended = waitpid(pid, &raw, WNOHANG);
    if (ended < 0) return -errno;
    if (ended == 0) return 0;
    *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 256 + WTERMSIG(raw);
    return 1;
}
