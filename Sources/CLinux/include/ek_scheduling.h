// How the kernel treats this process: scheduling, processors, memory. -errno on failure. All but the memory and the limit are the calling
// thread's; the threads that it makes later do not run at its real-time priority.
#pragma once
#include <stddef.h>
#include <stdint.h>

// The nice value, -20 ... 19.
int ek_nice(int *value);
int ek_set_nice(int value);

// The scheduling policy (SCHED_*) and its priority.
int ek_scheduler(int *policy, int *priority);
int ek_set_scheduler(int policy, int priority);
// SCHED_RR.
int ek_round_robin(void);

// The processors that it may run on: processor N is bit N % 8 of octet N / 8.
enum { EK_PROCESSORS = 1024 };
int ek_processors(uint8_t set[EK_PROCESSORS / 8]);
int ek_set_processors(const uint8_t set[EK_PROCESSORS / 8]);

// Keeps the memory of the process from being swapped out, each page from its first use on; or no longer.
int ek_lock_memory(void);
int ek_unlock_memory(void);

// RLIMIT_RTTIME: microseconds of real time without waiting, -1 = none.
int ek_realtime_limit(int64_t *microseconds);
int ek_set_realtime_limit(int64_t microseconds);
// From now on a thread that reaches that limit (SIGXCPU) goes on with ordinary scheduling instead of being killed, and adds one to the
// eventfd that this returns. Call once.
int ek_realtime_guard(void);
