#define _GNU_SOURCE
#include "ek_scheduling.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

int ek_nice(int *value) {
    errno = 0;
    int found = getpriority(PRIO_PROCESS, 0);
    if (found == -1 && errno) return -errno;
    *value = found;
    return 0;
}

int ek_set_nice(int value) { return setpriority(PRIO_PROCESS, 0, value) < 0 ? -errno : 0; }

int ek_scheduler(int *policy, int *priority) {
    struct sched_param parameters;
    int found = sched_getscheduler(0);
    if (found < 0 || sched_getparam(0, &parameters) < 0) return -errno;
    *policy = found & ~SCHED_RESET_ON_FORK;
    *priority = parameters.sched_priority;
    return 0;
}

int ek_set_scheduler(int policy, int priority) {
    struct sched_param parameters = {.sched_priority = priority};
    // The flag once set, only CAP_SYS_NICE may take it away.
    return sched_setscheduler(0, policy | SCHED_RESET_ON_FORK, &parameters) < 0 ? -errno : 0;
}

int ek_round_robin(void) { return SCHED_RR; }

int ek_processors(uint8_t set[EK_PROCESSORS / 8]) {
    cpu_set_t found;
    CPU_ZERO(&found);
    if (sched_getaffinity(0, sizeof found, &found) < 0) return -errno;
    for (int n = 0; n < EK_PROCESSORS; n++) {
        if (n % 8 == 0) set[n / 8] = 0;
        if (CPU_ISSET(n, &found)) set[n / 8] |= (uint8_t)(1 << n % 8);
    }
    return 0;
}

int ek_set_processors(const uint8_t set[EK_PROCESSORS / 8]) {
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    for (int n = 0; n < EK_PROCESSORS; n++)
        if (set[n / 8] >> n % 8 & 1) CPU_SET(n, &wanted);
    return sched_setaffinity(0, sizeof wanted, &wanted) < 0 ? -errno : 0;
}

int ek_lock_memory(void) { return mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0 ? -errno : 0; }

int ek_unlock_memory(void) { return munlockall() < 0 ? -errno : 0; }

int ek_realtime_limit(int64_t *microseconds) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTTIME, &limit) < 0) return -errno;
    *microseconds = limit.rlim_cur > INT64_MAX ? -1 : (int64_t)limit.rlim_cur;
    return 0;
}

int ek_set_realtime_limit(int64_t microseconds) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_RTTIME, &limit) < 0) return -errno;
    limit.rlim_cur = microseconds < 0 ? RLIM_INFINITY : (rlim_t)microseconds;
    return setrlimit(RLIMIT_RTTIME, &limit) < 0 ? -errno : 0;
}

static int guard = -1;

static void limit_reached(int signal) {
    (void)signal;
    int before = errno;
    struct sched_param ordinary = {.sched_priority = 0};
    sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &ordinary);
    uint64_t one = 1;
    ssize_t ignored = write(guard, &one, sizeof one);
    (void)ignored;
    errno = before;
}

int ek_realtime_guard(void) {
    guard = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (guard < 0) return -errno;
    struct sigaction action = {.sa_handler = limit_reached, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGXCPU, &action, NULL) < 0 ? -errno : guard;
}
