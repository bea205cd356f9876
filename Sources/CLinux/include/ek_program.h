// Programs of the administrator, started as a user in a session of their own. Everything that may wait for a file system happens in the
// child: the parent hears of it through a pipe. -errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// What is to be started.
struct ek_program {
    const char *const *paths;  // absolute paths, tried in this order until one is there; NULL ends them
    char *const *argv;         // as the program sees them; NULL ends them
    char *const *environment;  // NULL ends it
    uint32_t uid, gid;         // uid UINT32_MAX: this process's own
    const gid_t *groups;       // its supplementary groups
    size_t group_count;
    mode_t umask;
    const char *network_namespace;  // that it runs in: /run/netns/NAME; NULL: this process's own
    int is_checked;            // the way to the program is to be looked at: see EK_PROGRAM_INSECURE
    int is_secure;             // and an insecure one is not run
};

// What the child says before the program runs; one or two of these, then the end of the stream when it runs.
struct ek_program_report {
    int32_t stage;
    int32_t error;    // errno
    char path[240];   // what it is about, NUL at the end, shortened where it is longer
};

enum {
    EK_PROGRAM_IDENTITY = 1,  // it could not become the user
    EK_PROGRAM_EXECUTE = 2,   // execve failed
    EK_PROGRAM_INSECURE = 3,  // somebody but root can replace `path`, or what it leads to
    EK_PROGRAM_NETWORK = 4,   // it could not enter the network namespace `path`
};

// Starts it: standard input is /dev/null, output and errors go to *output, reports come from *report, both to be read without waiting.
pid_t ek_program_start(const struct ek_program *program, int *output, int *report);
// 1 when somebody but root can replace a program or what leads to it (an absolute path); `part`, of PATH_MAX, names what.
int ek_program_replaceable(const char *path, char *part);
// Whether the process has ended, without taking it away: 0 still there, 1 and *status as ek_reap gives it.
int ek_peek(pid_t pid, int *status);
