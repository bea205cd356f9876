// inotify(7): what happens in directories. Every call returns a value >= 0 or -errno.
#pragma once
#include <stddef.h>
#include <stdint.h>

int ek_inotify_create(void);
// Watches a directory for files that are written, moved in or out, or deleted, and for its own end; for creation where asked. Returns its number: the same one
// for the same directory.
int ek_inotify_watch(int inotify, const char *directory, int creation);
int ek_inotify_forget(int inotify, int number);

// The directory that a path's file is in, links followed; the file itself need not be there. Writes the directory and the file's name.
int ek_resolve(const char *path, char *directory, char *name, size_t capacity);
