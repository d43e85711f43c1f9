/* Writes to the ledger's file that fail as on a full disk, while a file named by FAIL_WRITES_WHILE exists: a disk that fills up between
 * the look at what is free and the write. Loaded before the C library (LD_PRELOAD). */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int fails(int file) {
    const char *flag = getenv("FAIL_WRITES_WHILE");
    char link[64], path[4096];
    if (!flag || access(flag, F_OK)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "/ledger/db") != NULL;
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t at) {
    if (fails(file)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, file, bytes, length, at);
}
