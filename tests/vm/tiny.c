/* The smallest program: prints its pid and user id, without a C library. */
static long call(long number, long a, long b, long c) {
    long answer;
    __asm__ volatile("syscall" : "=a"(answer) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return answer;
}

void _start(void) {
    static const char hello[] = "hello from process ";
    char line[] = "?, user ?\n";
    /* getpid, getuid: both have one digit here. */
    line[0] = '0' + call(39, 0, 0, 0);
    line[8] = '0' + call(102, 0, 0, 0);
    call(1, 1, (long)hello, sizeof hello - 1);
    call(1, 1, (long)line, sizeof line - 1);
    call(60, 0, 0, 0);
}
