/* Holds a file system or a terminal.
 *
 *     hold acct FILE     process accounting to FILE
 *     hold fuse DIR      mounts a FUSE file system whose server answers nothing
 *     hold console DIR   stops the output of the terminal, as a dead line does
 *     hold nfs DIR       mounts an NFS of a server on this machine that answers everything but WRITE
 */
#include <arpa/inet.h>
#include <signal.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#define PORT 2049

static unsigned char in[65536], out[4096];
static unsigned length;

static void put(uint32_t number) {
    number = htonl(number);
    memcpy(out + length, &number, 4);
    length += 4;
}

static void put_handle(uint32_t file) {
    put(4);
    put(file);
}

/* fattr3 of RFC 1813: file 1 is the root directory, file 2 is the only file. */
static void put_attributes(uint32_t file) {
    const uint32_t values[] = {file == 1 ? 2 : 1, file == 1 ? 0755 : 0644, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, file, 1, 0, 1, 0, 1, 0};
    for (unsigned i = 0; i < sizeof values / sizeof *values; i++)
        put(values[i]);
}

static void put_all(unsigned count, const uint32_t *values) {
    for (unsigned i = 0; i < count; i++)
        put(values[i]);
}
#define PUT(...) put_all(sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

static uint32_t word(unsigned at) {
    uint32_t number;
    memcpy(&number, in + at, 4);
    return ntohl(number);
}

/* Answers the call in `in`, if it is one that is answered. */
static void answer(int to) {
    uint32_t program = word(12), procedure = word(20), at = 24;
    at += 8 + (word(at + 4) + 3) / 4 * 4; /* the credentials */
    at += 8 + word(at + 4);               /* the verifier */
    length = 4;
    PUT(word(0), 1, 0, 0, 0, 0);
    if (program == 100005 && procedure == 1) {
        put(0);
        put_handle(1);
        PUT(1, 1);
    } else if (program == 100003) {
        switch (procedure) {
        case 1: /* GETATTR */
            put(0);
            put_attributes(word(at + 4));
            break;
        case 2: /* SETATTR */
            PUT(0, 0, 0);
            break;
        case 3: /* LOOKUP: no such file */
            PUT(2, 0);
            break;
        case 4: /* ACCESS */
            PUT(0, 0, 0x3f);
            break;
        case 7: /* WRITE */
            return;
        case 8: /* CREATE */
            PUT(0, 1);
            put_handle(2);
            put(1);
            put_attributes(2);
            PUT(0, 0);
            break;
        case 18: /* FSSTAT */
            PUT(0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0);
            break;
        case 19: /* FSINFO */
            PUT(0, 0, 4096, 4096, 512, 4096, 4096, 512, 4096, 1, 0, 0, 1, 0x1b);
            break;
        case 20: /* PATHCONF */
            PUT(0, 0, 1, 255, 1, 1, 0, 1);
            break;
        }
    }
    uint32_t mark = htonl(0x80000000 | (length - 4));
    memcpy(out, &mark, 4);
    if (write(to, out, length) != (ssize_t)length)
        perror("hold: write");
}

static int fill(int from, unsigned char *to, unsigned bytes) {
    for (ssize_t got; bytes; to += got, bytes -= got)
        if ((got = read(from, to, bytes)) <= 0)
            return 0;
    return 1;
}

static void serve(int listener) {
    for (;;) {
        int client = accept(listener, 0, 0);
        if (fork())
            continue;
        while (fill(client, in, 4)) {
            uint32_t bytes = word(0) & 0x7fffffff;
            if (bytes > sizeof in || !fill(client, in, bytes))
                break;
            answer(client);
        }
        _exit(0);
    }
}

static int nfs(const char *dir) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 9))
        return perror("hold: listen"), 1;
    if (!fork())
        serve(listener);
    if (mount("127.0.0.1:/x", dir, "nfs", 0,
              "vers=3,proto=tcp,port=2049,mountport=2049,mountproto=tcp,mountvers=3,nolock,noacl,hard,addr=127.0.0.1,mountaddr=127.0.0.1"))
        return perror("hold: mount nfs"), 1;
    return 0;
}

static int fuse(const char *dir) {
    char options[64];
    int server = open("/dev/fuse", O_RDWR);
    snprintf(options, sizeof options, "fd=%d,rootmode=40000,user_id=0,group_id=0", server);
    if (mount("fuse", dir, "fuse", 0, options))
        return perror("hold: mount fuse"), 1;
    if (!fork())
        for (;;)
            pause();
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    signal(SIGTERM, SIG_IGN);
    if (!strcmp(argv[1], "acct"))
        return acct(argv[2]) ? perror("hold: acct"), 1 : 0;
    if (!strcmp(argv[1], "console"))
        return tcflow(0, TCOOFF) ? perror("hold: tcflow"), 1 : 0;
    return strcmp(argv[1], "nfs") ? fuse(argv[2]) : nfs(argv[2]);
}
