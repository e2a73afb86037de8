/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Strikes a program at one of its file operations. Preloaded, it counts every
 * call that changes something below a directory and, at the wanted number,
 * kills the process, tears a write, or lets this and all later calls fail.
 * It also writes down what the calls did, for the model of a power cut.
 *
 *   STRIKE_ROOT  the directory, absolute and without links
 *   STRIKE_AT    the number of the operation to strike, from 1; 0 for none
 *   STRIKE_HOW   kill, torn, enospc, eio, erofs, none
 *   STRIKE_LOG   the log, outside the directory; nothing is logged without it
 *   STRIKE_COUNT a file of eight zero bytes, outside the directory: the count is
 *                in it, common to all processes of the struck program's group,
 *                and to kill one is to kill all of them; without it each counts
 *                for itself and dies alone
 *
 * One operation is one line of the log, its words separated by tabs:
 *   create PATH | truncate PATH LENGTH | write PATH OFFSET HEX
 *   rename FROM TO | link FROM TO | unlink PATH | mkdir PATH | rmdir PATH
 *   symlink PATH | fsync PATH | chmod PATH | chown PATH
 * Operations that the model does not know are logged as "other NAME PATH".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))real(#name))

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static long own_count, *count = &own_count, at;
static int failing, together, log_fd = -1, ready;
static char root[PATH_MAX], how[16];

static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) _exit(99);
    return found;
}

static void prepare(void) {
    if (ready) return;
    ready = 1;
    const char *text = getenv("STRIKE_ROOT");
    snprintf(root, sizeof root, "%s", text ? text : "");
    text = getenv("STRIKE_AT");
    at = text ? atol(text) : 0;
    text = getenv("STRIKE_HOW");
    snprintf(how, sizeof how, "%s", text ? text : "none");
    text = getenv("STRIKE_LOG");
    if (text)
        log_fd = syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    text = getenv("STRIKE_COUNT");
    if (text) {
        int fd = syscall(SYS_openat, AT_FDCWD, text, O_RDWR | O_CLOEXEC, 0);
        count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (count == MAP_FAILED) _exit(99);
        syscall(SYS_close, fd);
        together = 1;
    }
}

/* The path of an open file, as the kernel knows it now. */
static int path_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
    if (length < 0) return 0;
    out[length] = 0;
    return 1;
}

static void absolute(int dir, const char *path, char *out) {
    char base[PATH_MAX] = "";
    if (path[0] == '/') {
        snprintf(out, PATH_MAX, "%s", path);
        return;
    }
    if (dir == AT_FDCWD)
        syscall(SYS_getcwd, base, sizeof base);
    else
        path_of(dir, base);
    if ((size_t)snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) _exit(99);
}

static int below(const char *path) {
    size_t length = strlen(root);
    return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static void put(const char *text, size_t length) {
    while (length) {
        ssize_t written = syscall(SYS_write, log_fd, text, length);
        if (written <= 0) _exit(99);
        text += written;
        length -= (size_t)written;
    }
}

static void note(const char *format, ...) {
    char line[3 * PATH_MAX];
    if (log_fd < 0) return;
    va_list words;
    va_start(words, format);
    int length = vsnprintf(line, sizeof line, format, words);
    va_end(words);
    put(line, (size_t)length);
}

static void note_data(const unsigned char *data, size_t length) {
    if (log_fd < 0) return;
    char *hex = malloc(2 * length + 1);
    for (size_t i = 0; i < length; i++) snprintf(hex + 2 * i, 3, "%02x", data[i]);
    put(hex, 2 * length);
    put("\n", 1);
    free(hex);
}

static void die(void) {
    syscall(SYS_kill, together ? 0 : getpid(), SIGKILL);
    for (;;) pause();
}

/* Counts one operation. Gives 0 to go on, an errno to fail with, -1 to tear. */
static int strike(int tearable, int removes) {
    long now = __atomic_add_fetch(count, 1, __ATOMIC_SEQ_CST);
    int here = at && now == at;
    if (here && !strcmp(how, "kill")) die();
    if (here && !strcmp(how, "torn")) {
        if (!tearable) die();
        return -1;
    }
    /* What one process met, those it starts meet, too. */
    if (at && now >= at && (!strcmp(how, "enospc") || !strcmp(how, "eio") || !strcmp(how, "erofs"))) failing = 1;
    if (!failing || removes) return 0;
    return !strcmp(how, "enospc") ? ENOSPC : !strcmp(how, "eio") ? EIO : EROFS;
}

#define BEGIN(is_below) \
    pthread_mutex_lock(&turn); \
    prepare(); \
    int counted = (is_below); \
    int verdict = 0;
#define STRIKE(tearable, removes) \
    if (counted && (verdict = strike(tearable, removes)) > 0) { \
        pthread_mutex_unlock(&turn); \
        errno = verdict; \
        return -1; \
    }
#define END(result, ...) \
    int saved = errno; \
    if (counted && (result) >= 0) note(__VA_ARGS__); \
    pthread_mutex_unlock(&turn); \
    errno = saved; \
    return result;

static int do_open(int dir, const char *path, int flags, mode_t mode) {
    char name[PATH_MAX];
    int changes = flags & (O_CREAT | O_TRUNC);
    absolute(dir, path, name);
    BEGIN(0)
    struct stat before;
    int existed = syscall(SYS_newfstatat, AT_FDCWD, name, &before, AT_SYMLINK_NOFOLLOW) == 0;
    /* Opening what exists changes nothing, unless it is emptied. */
    counted = changes && below(name) && (!existed || (flags & O_TRUNC));
    STRIKE(0, 0)
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    END(fd, existed ? "truncate\t%s\t0\n" : "create\t%s\n", name)
}

#define OPEN_MODE \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { \
        va_list rest; \
        va_start(rest, flags); \
        mode = va_arg(rest, mode_t); \
        va_end(rest); \
    }

int open(const char *path, int flags, ...) { OPEN_MODE return do_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPEN_MODE return do_open(AT_FDCWD, path, flags, mode); }
int openat(int dir, const char *path, int flags, ...) { OPEN_MODE return do_open(dir, path, flags, mode); }
int openat64(int dir, const char *path, int flags, ...) { OPEN_MODE return do_open(dir, path, flags, mode); }
int creat(const char *path, mode_t mode) {
    return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) { return creat(path, mode); }

static ssize_t do_write(int fd, const void *data, size_t length, off_t offset) {
    char name[PATH_MAX] = "";
    path_of(fd, name);
    BEGIN(below(name))
    STRIKE(1, 0)
    off_t position = offset >= 0 ? offset : counted ? lseek(fd, 0, SEEK_CUR) : 0;
    if (verdict < 0) length /= 2;
    ssize_t written = offset >= 0 ? syscall(SYS_pwrite64, fd, data, length, offset)
                                  : syscall(SYS_write, fd, data, length);
    int saved = errno;
    if (counted && written >= 0) {
        note("write\t%s\t%lld\t", name, (long long)position);
        note_data(data, (size_t)written);
    }
    if (verdict < 0) die();
    pthread_mutex_unlock(&turn);
    errno = saved;
    return written;
}

ssize_t write(int fd, const void *data, size_t length) { return do_write(fd, data, length, -1); }
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return do_write(fd, data, length, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    return do_write(fd, data, length, offset);
}
ssize_t writev(int fd, const struct iovec *parts, int number) {
    /* A short write is allowed: the caller comes again for the rest. */
    for (int i = 0; i < number; i++)
        if (parts[i].iov_len) return do_write(fd, parts[i].iov_base, parts[i].iov_len, -1);
    return 0;
}

static int on_fd(int fd, const char *word, long (*call)(int, long, long), long one, long two) {
    char name[PATH_MAX] = "";
    path_of(fd, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    int result = (int)call(fd, one, two);
    END(result, "%s\t%s\n", word, name)
}

static long call_fsync(int fd, long one, long two) { (void)one, (void)two; return syscall(SYS_fsync, fd); }
static long call_fchmod(int fd, long mode, long two) { (void)two; return syscall(SYS_fchmod, fd, mode); }
static long call_fchown(int fd, long user, long group) { return syscall(SYS_fchown, fd, user, group); }

int fsync(int fd) { return on_fd(fd, "fsync", call_fsync, 0, 0); }
int fdatasync(int fd) { return on_fd(fd, "fsync", call_fsync, 0, 0); }
int fchmod(int fd, mode_t mode) { return on_fd(fd, "chmod", call_fchmod, (long)mode, 0); }
int fchown(int fd, uid_t user, gid_t group) { return on_fd(fd, "chown", call_fchown, (long)user, (long)group); }

static int do_truncate(int fd, off_t length) {
    char name[PATH_MAX] = "";
    path_of(fd, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    int result = (int)syscall(SYS_ftruncate, fd, length);
    END(result, "truncate\t%s\t%lld\n", name, (long long)length)
}

int ftruncate(int fd, off_t length) { return do_truncate(fd, length); }
int ftruncate64(int fd, off64_t length) { return do_truncate(fd, length); }

static int do_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    char old[PATH_MAX], new[PATH_MAX];
    absolute(from_dir, from, old);
    absolute(to_dir, to, new);
    BEGIN(below(old) || below(new))
    STRIKE(0, 0)
    int result = (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
    END(result, flags ? "other\trename\t%s\t%s\n" : "rename\t%s\t%s\n", old, new)
}

int rename(const char *from, const char *to) { return do_rename(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    return do_rename(from_dir, from, to_dir, to, 0);
}
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags) {
    return do_rename(from_dir, from, to_dir, to, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    char old[PATH_MAX], new[PATH_MAX];
    absolute(from_dir, from, old);
    absolute(to_dir, to, new);
    BEGIN(below(new))
    STRIKE(0, 0)
    int result = (int)syscall(SYS_linkat, from_dir, from, to_dir, to, flags);
    END(result, "link\t%s\t%s\n", old, new)
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

static int do_unlink(int dir, const char *path, int flags) {
    char name[PATH_MAX];
    absolute(dir, path, name);
    BEGIN(below(name))
    STRIKE(0, 1)
    int result = (int)syscall(SYS_unlinkat, dir, path, flags);
    END(result, flags & AT_REMOVEDIR ? "rmdir\t%s\n" : "unlink\t%s\n", name)
}

int unlink(const char *path) { return do_unlink(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return do_unlink(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int dir, const char *path, int flags) { return do_unlink(dir, path, flags); }

int mkdirat(int dir, const char *path, mode_t mode) {
    char name[PATH_MAX];
    absolute(dir, path, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    int result = (int)syscall(SYS_mkdirat, dir, path, mode);
    END(result, "mkdir\t%s\n", name)
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int symlinkat(const char *target, int dir, const char *path) {
    char name[PATH_MAX];
    absolute(dir, path, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    int result = (int)syscall(SYS_symlinkat, target, dir, path);
    END(result, "symlink\t%s\n", name)
}
int symlink(const char *target, const char *path) { return symlinkat(target, AT_FDCWD, path); }

int fchmodat(int dir, const char *path, mode_t mode, int flags) {
    char name[PATH_MAX];
    absolute(dir, path, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    int result = REAL(fchmodat)(dir, path, mode, flags);
    END(result, "chmod\t%s\n", name)
}
int chmod(const char *path, mode_t mode) { return fchmodat(AT_FDCWD, path, mode, 0); }

ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t length, unsigned flags) {
    char name[PATH_MAX] = "";
    path_of(to, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    ssize_t result = syscall(SYS_copy_file_range, from, from_at, to, to_at, length, flags);
    END(result, "other\tcopy\t%s\n", name)
}

static ssize_t do_sendfile(int to, int from, off_t *offset, size_t length) {
    char name[PATH_MAX] = "";
    path_of(to, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    ssize_t result = syscall(SYS_sendfile, to, from, offset, length);
    END(result, "other\tsendfile\t%s\n", name)
}
ssize_t sendfile(int to, int from, off_t *offset, size_t length) { return do_sendfile(to, from, offset, length); }
ssize_t sendfile64(int to, int from, off64_t *offset, size_t length) { return do_sendfile(to, from, offset, length); }

static int do_fallocate(int fd, int mode, off_t offset, off_t length) {
    char name[PATH_MAX] = "";
    path_of(fd, name);
    BEGIN(below(name))
    STRIKE(0, 0)
    int result = (int)syscall(SYS_fallocate, fd, mode, offset, length);
    END(result, "other\tfallocate\t%s\n", name)
}
int fallocate(int fd, int mode, off_t offset, off_t length) { return do_fallocate(fd, mode, offset, length); }
int fallocate64(int fd, int mode, off64_t offset, off64_t length) { return do_fallocate(fd, mode, offset, length); }
