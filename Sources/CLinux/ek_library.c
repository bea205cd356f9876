#include "ek_library.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *ek_library_load(const char *file, const char *const names[], size_t count, void *calls, char *problem, size_t capacity) {
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        snprintf(problem, capacity, "%s", dlerror());
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        void *call = dlsym(library, names[i]);
        if (call == NULL) {
            snprintf(problem, capacity, "%s lacks %s", file, names[i]);
            dlclose(library);
            return NULL;
        }
        memcpy((char *)calls + i * sizeof call, &call, sizeof call);
    }
    return library;
}
