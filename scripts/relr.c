/* Applies the compact relocation table for a musl older than 1.2.4, whose start file does not know it.
   The linker puts this in front of __libc_start_main, where the C library has not done anything yet. */
#include <stddef.h>

#define HIDDEN __attribute__((visibility("hidden")))
#define DT_RELRSZ 35
#define DT_RELR 36

extern HIDDEN char __ehdr_start[];
extern HIDDEN size_t _DYNAMIC[];
extern HIDDEN int main(int, char **, char **);
int __real___libc_start_main(int (*)(int, char **, char **), int, char **, void *, void *, void *);

HIDDEN int __wrap___libc_start_main(void *was, int argc, char **argv, void *init, void *fini, void *ldso)
{
	size_t *entry = 0, *at = 0, bytes = 0;
	(void)was; /* read from a table that was not relocated yet */
	for (size_t *d = _DYNAMIC; d[0]; d += 2) {
		if (d[0] == DT_RELR)
			entry = (size_t *)(__ehdr_start + d[1]);
		if (d[0] == DT_RELRSZ)
			bytes = d[1];
	}
	for (; bytes; entry++, bytes -= sizeof *entry) {
		if (!(*entry & 1)) { /* an address, */
			at = (size_t *)(__ehdr_start + *entry);
			*at++ += (size_t)__ehdr_start;
		} else { /* or a bitmap of the words behind it */
			for (size_t i = 0, bits = *entry; bits >>= 1; i++)
				if (bits & 1)
					at[i] += (size_t)__ehdr_start;
			at += 8 * sizeof *entry - 1;
		}
	}
	return __real___libc_start_main(main, argc, argv, init, fini, ldso);
}
