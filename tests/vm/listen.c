/* Prints what one connection to a port of vsock(7) sends. */
#include <linux/vm_sockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_vm at = { .svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY };
	char text[256];
	ssize_t length;
	int own = socket(AF_VSOCK, SOCK_STREAM, 0), other;

	if (argc != 2)
		return 2;
	at.svm_port = atoi(argv[1]);
	if (own < 0 || bind(own, (struct sockaddr *)&at, sizeof at) || listen(own, 1)) {
		perror("listen");
		return 1;
	}
	puts("listening");
	fflush(stdout);
	other = accept(own, NULL, NULL);
	while ((length = read(other, text, sizeof text)) > 0)
		fwrite(text, 1, length, stdout);
	return 0;
}
