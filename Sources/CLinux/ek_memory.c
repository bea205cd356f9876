#define _GNU_SOURCE
#include "ek_memory.h"

#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>

void ek_trim_heap(void) {
    malloc_trim(0);
}

int ek_forget_pages(uint64_t start, uint64_t end) {
    return madvise((void *)(uintptr_t)start, end - start, MADV_DONTNEED) == 0 ? 0 : -errno;
}
