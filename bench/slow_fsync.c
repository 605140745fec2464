/* A disk that syncs slowly and counts: preloaded into a process, it makes every fsync and fdatasync take
 * VALETKEY_SYNC_DELAY_MS milliseconds longer and keeps their number in the file VALETKEY_SYNC_COUNT names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <fcntl.h>
#include <unistd.h>

static atomic_long counted;

static void count_and_wait(void) {
    const char *place = getenv("VALETKEY_SYNC_COUNT");
    const char *delay = getenv("VALETKEY_SYNC_DELAY_MS");
    long now = atomic_fetch_add(&counted, 1) + 1;
    if (place != NULL && *place != '\0') {
        char text[32];
        int length = snprintf(text, sizeof text, "%020ld\n", now);
        int file = open(place, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (file >= 0) {
            if (pwrite(file, text, (size_t)length, 0) < 0) { /* a lost count spoils a figure, not the data */ }
            close(file);
        }
    }
    double milliseconds = delay != NULL ? atof(delay) : 0;
    if (milliseconds > 0) {
        struct timespec wait = {(time_t)(milliseconds / 1000), (long)(milliseconds * 1e6) % 1000000000L};
        nanosleep(&wait, NULL);
    }
}

int fsync(int file) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int answer = real(file);
    count_and_wait();
    return answer;
}

int fdatasync(int file) {
    static int (*real)(int);
    if (real == NULL) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int answer = real(file);
    count_and_wait();
    return answer;
}
