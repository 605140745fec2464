/* A disk that takes its time: every fsync and fdatasync waits a while longer, and is counted.
 *
 * Loaded before libc by LD_PRELOAD. VALETKEY_FSYNC_DELAY_MS is the wait to add, in milliseconds (fractions allowed);
 * VALETKEY_FSYNC_COUNT names a file that gets one byte appended for each call, so that its size is the count, across
 * threads and processes. Neither set: nothing changes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static struct timespec delay;
static int counter = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    const char *wait = getenv("VALETKEY_FSYNC_DELAY_MS");
    const char *path = getenv("VALETKEY_FSYNC_COUNT");
    double seconds = wait ? atof(wait) / 1000.0 : 0.0;

    if (seconds < 0.0)
        seconds = 0.0;
    delay.tv_sec = (time_t)seconds;
    delay.tv_nsec = (long)((seconds - (double)delay.tv_sec) * 1e9);
    if (path)
        counter = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    real_fsync = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
}

static int slowly(int (*sync_it)(int), int fd)
{
    int result = sync_it(fd);
    int kept = errno;
    struct timespec left = delay;

    if (counter >= 0 && write(counter, ".", 1) < 0)
        counter = -1;
    while ((left.tv_sec || left.tv_nsec) && nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    errno = kept;
    return result;
}

int fsync(int fd)
{
    pthread_once(&once, set_up);
    return slowly(real_fsync, fd);
}

int fdatasync(int fd)
{
    pthread_once(&once, set_up);
    return slowly(real_fdatasync, fd);
}
