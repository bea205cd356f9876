// Libraries that are loaded when they are first needed, not linked: who does not use them does not pay for them.
#pragma once
#include <stddef.h>

// Writes the addresses of `count` functions of the library into `calls`, an array of pointers to functions, in the order of their names.
// Returns its handle; NULL when it cannot be loaded or lacks one of them, with the reason in `problem`.
void *ek_library_load(const char *file, const char *const names[], size_t count, void *calls, char *problem, size_t capacity);
