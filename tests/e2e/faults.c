/* Preloaded by tests: a clock that jumps, and a disk that is full for some files.
 *
 * FAULTS names a file of struct faults, which the test changes while the process runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct faults {
    long seconds;    /* added to the time of day */
    char full[248];  /* a write to a file whose path holds this fails; empty for none */
};

static volatile struct faults *faults;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof(struct faults), PROT_READ, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) faults = found;
    close(file);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = REAL(clock_gettime);
    int done = real(clock, now);
    if (faults && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += faults->seconds;
    return done;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    static int (*real)(struct timeval *restrict, void *restrict);
    if (!real) real = REAL(gettimeofday);
    int done = real(now, zone);
    if (faults) now->tv_sec += faults->seconds;
    return done;
}

time_t time(time_t *place) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (place) *place = now.tv_sec;
    return now.tv_sec;
}

static int is_full(int file) {
    char link[40], path[4096];
    if (!faults || !faults->full[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, (const char *)faults->full) != NULL;
}

/* Half of what is written first still has room: what remains is a file that is not whole. */
#define WRITE(name, declared, passed, size)                            \
    ssize_t name declared {                                            \
        static ssize_t(*real) declared;                                \
        if (!real) real = REAL(name);                                  \
        if (!is_full(file)) return real passed;                        \
        if (size > 1 && lseek(file, 0, SEEK_END) == 0) size /= 2;      \
        else { errno = ENOSPC; return -1; }                            \
        return real passed;                                            \
    }

WRITE(write, (int file, const void *bytes, size_t size), (file, bytes, size), size)
WRITE(pwrite, (int file, const void *bytes, size_t size, off_t at), (file, bytes, size, at), size)
WRITE(pwrite64, (int file, const void *bytes, size_t size, off64_t at), (file, bytes, size, at), size)
