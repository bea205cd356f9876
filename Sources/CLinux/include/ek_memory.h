// Memory of this process that it does not need. -errno on failure.
#pragma once
#include <stdint.h>

// Hands freed heap pages back to the kernel (malloc_trim(3)).
void ek_trim_heap(void);
// Unmaps the pages between two addresses of a file mapping that holds no changes of ours; they come back when touched.
int ek_forget_pages(uint64_t start, uint64_t end);
