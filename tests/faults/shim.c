/* Makes one call that changes a file fail, or ends the process there: for tests of what a store survives.
 *
 * Loaded by LD_PRELOAD. Calls on files whose path begins with the folder given to fault_arm are counted; at number
 * `at` the mode decides: 0 only count, 1 the process is killed before the call, 2 killed after half of a write,
 * 3 the call fails with ENOSPC, 4 with EIO; 5 and 6 are 3 and 4 for that call and every one after it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[PATH_MAX];
static long count, at;
static int mode;

void fault_arm(const char *where, long number, int how) {
    strncpy(folder, where, sizeof folder - 1);
    count = 0;
    at = number;
    mode = how;
}

long fault_count(void) { return count; }

static int inside(const char *path) { return folder[0] && strncmp(path, folder, strlen(folder)) == 0; }

static int inside_fd(int fd) {
    char link[64], path[PATH_MAX];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return inside(path);
}

/* 0: go on; 1: fail; 2: write half, then end. */
static int due(void) {
    count++;
    if (mode == 0 || count < at) return 0;
    if (mode >= 5 || count == at) {
        if (mode == 1) kill(getpid(), SIGKILL);
        if (mode == 2) return 2;
        errno = mode % 2 ? ENOSPC : EIO;
        return 1;
    }
    return 0;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    int how = inside_fd(fd) ? due() : 0;
    if (how == 1) return -1;
    if (how == 2) { real(fd, data, n / 2); kill(getpid(), SIGKILL); }
    return real(fd, data, n);
}

#define PWRITE(name, offset) \
    ssize_t name(int fd, const void *data, size_t n, offset place) { \
        REAL(name); \
        int how = inside_fd(fd) ? due() : 0; \
        if (how == 1) return -1; \
        if (how == 2) { real(fd, data, n / 2, place); kill(getpid(), SIGKILL); } \
        return real(fd, data, n, place); \
    }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

#define ON_FD(name, declared, given) \
    int name declared { \
        REAL(name); \
        int how = inside_fd(fd) ? due() : 0; \
        if (how == 1) return -1; \
        if (how == 2) kill(getpid(), SIGKILL); \
        return real given; \
    }
ON_FD(fsync, (int fd), (fd))
ON_FD(fdatasync, (int fd), (fd))
ON_FD(ftruncate, (int fd, off_t n), (fd, n))
ON_FD(ftruncate64, (int fd, off64_t n), (fd, n))

#define ON_PATH(name, declared, given) \
    int name declared { \
        REAL(name); \
        int how = inside(path) ? due() : 0; \
        if (how == 1) return -1; \
        if (how == 2) kill(getpid(), SIGKILL); \
        return real given; \
    }
ON_PATH(unlink, (const char *path), (path))
ON_PATH(rename, (const char *path, const char *to), (path, to))

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list rest; \
        va_start(rest, flags); \
        mode_t bits = va_arg(rest, mode_t); \
        va_end(rest); \
        int how = (flags & O_CREAT) && inside(path) ? due() : 0; \
        if (how == 1) return -1; \
        if (how == 2) kill(getpid(), SIGKILL); \
        return real(path, flags, bits); \
    }
OPEN(open)
OPEN(open64)
