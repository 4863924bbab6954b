//! Every errno and every reason of our own, a row each. The constants of [`Failure`](super::Failure) and the texts of messages are
//! both made from these rows: there is no constant without a text.

/// The kernel's errnos: the constant, the kernel's name, the text of strerror(3) in the GNU C library. These are those of
/// include/uapi/asm-generic/errno-base.h and errno.h, which all machines that nsinit is built for share.
///
/// `errnos!(name)` calls the macro `name` with all rows.
macro_rules! errnos {
    ($with:ident) => {
        $with! {
            PERM EPERM say!("Operation not permitted");
            NOENT ENOENT say!("No such file or directory");
            SRCH ESRCH say!("No such process");
            INTR EINTR say!("Interrupted system call");
            IO EIO say!("Input/output error");
            NXIO ENXIO say!("No such device or address");
            TOOBIG E2BIG say!("Argument list too long");
            NOEXEC ENOEXEC say!("Exec format error");
            BADF EBADF say!("Bad file descriptor");
            CHILD ECHILD say!("No child processes");
            AGAIN EAGAIN say!("Resource temporarily unavailable");
            NOMEM ENOMEM say!("Cannot allocate memory");
            ACCESS EACCES say!("Permission denied");
            FAULT EFAULT say!("Bad address");
            NOTBLK ENOTBLK say!("Block device required");
            BUSY EBUSY say!("Device or resource busy");
            EXIST EEXIST say!("File exists");
            XDEV EXDEV say!("Invalid cross-device link");
            NODEV ENODEV say!("No such device");
            NOTDIR ENOTDIR say!("Not a directory");
            ISDIR EISDIR say!("Is a directory");
            INVAL EINVAL say!("Invalid argument");
            NFILE ENFILE say!("Too many open files in system");
            MFILE EMFILE say!("Too many open files");
            NOTTY ENOTTY say!("Inappropriate ioctl for device");
            TXTBSY ETXTBSY say!("Text file busy");
            FBIG EFBIG say!("File too large");
            NOSPC ENOSPC say!("No space left on device");
            ROFS EROFS say!("Read-only file system");
            PIPE EPIPE say!("Broken pipe");
            RANGE ERANGE say!("Numerical result out of range");
            DEADLK EDEADLK say!("Resource deadlock avoided");
            NAMETOOLONG ENAMETOOLONG say!("File name too long");
            NOLCK ENOLCK say!("No locks available");
            NOSYS ENOSYS say!("Function not implemented");
            NOTEMPTY ENOTEMPTY say!("Directory not empty");
            LOOP ELOOP say!("Too many levels of symbolic links");
            NOMSG ENOMSG say!("No message of desired type");
            NODATA ENODATA say!("No data available");
            PROTO EPROTO say!("Protocol error");
            BADMSG EBADMSG say!("Bad message");
            OVERFLOW EOVERFLOW say!("Value too large for defined data type");
            LIBBAD ELIBBAD say!("Accessing a corrupted shared library");
            ILSEQ EILSEQ say!("Invalid or incomplete multibyte or wide character");
            USERS EUSERS say!("Too many users");
            NOTSOCK ENOTSOCK say!("Socket operation on non-socket");
            OPNOTSUPP EOPNOTSUPP say!("Operation not supported");
            AFNOSUPPORT EAFNOSUPPORT say!("Address family not supported by protocol");
            NETUNREACH ENETUNREACH say!("Network is unreachable");
            CONNABORTED ECONNABORTED say!("Software caused connection abort");
            NOBUFS ENOBUFS say!("No buffer space available");
            NOTCONN ENOTCONN say!("Transport endpoint is not connected");
            TIMEDOUT ETIMEDOUT say!("Connection timed out");
            CONNREFUSED ECONNREFUSED say!("Connection refused");
            HOSTDOWN EHOSTDOWN say!("Host is down");
            HOSTUNREACH EHOSTUNREACH say!("No route to host");
            STALE ESTALE say!("Stale file handle");
            UCLEAN EUCLEAN say!("Structure needs cleaning");
            REMOTEIO EREMOTEIO say!("Remote I/O error");
            DQUOT EDQUOT say!("Disk quota exceeded");
            NOMEDIUM ENOMEDIUM say!("No medium found");
            NOKEY ENOKEY say!("Required key not available");
            KEYEXPIRED EKEYEXPIRED say!("Key has expired");
            KEYREVOKED EKEYREVOKED say!("Key has been revoked");
            KEYREJECTED EKEYREJECTED say!("Key was rejected by service");
        }
    };
}
pub(crate) use errnos;

/// The other errnos of these files, without constants: those of STREAMS, of XENIX, of sockets that nsinit does not open, and others
/// that no call of nsinit is known to return. Without the feature `errnos` they print as `error N`.
#[cfg(feature = "errnos")]
macro_rules! rare_errnos {
    ($with:ident) => {
        $with! {
            SPIPE ESPIPE say!("Illegal seek");
            MLINK EMLINK say!("Too many links");
            DOM EDOM say!("Numerical argument out of domain");
            IDRM EIDRM say!("Identifier removed");
            CHRNG ECHRNG say!("Channel number out of range");
            L2NSYNC EL2NSYNC say!("Level 2 not synchronized");
            L3HLT EL3HLT say!("Level 3 halted");
            L3RST EL3RST say!("Level 3 reset");
            LNRNG ELNRNG say!("Link number out of range");
            UNATCH EUNATCH say!("Protocol driver not attached");
            NOCSI ENOCSI say!("No CSI structure available");
            L2HLT EL2HLT say!("Level 2 halted");
            BADE EBADE say!("Invalid exchange");
            BADR EBADR say!("Invalid request descriptor");
            XFULL EXFULL say!("Exchange full");
            NOANO ENOANO say!("No anode");
            BADRQC EBADRQC say!("Invalid request code");
            BADSLT EBADSLT say!("Invalid slot");
            BFONT EBFONT say!("Bad font file format");
            NOSTR ENOSTR say!("Device not a stream");
            TIME ETIME say!("Timer expired");
            NOSR ENOSR say!("Out of streams resources");
            NONET ENONET say!("Machine is not on the network");
            NOPKG ENOPKG say!("Package not installed");
            REMOTE EREMOTE say!("Object is remote");
            NOLINK ENOLINK say!("Link has been severed");
            ADV EADV say!("Advertise error");
            SRMNT ESRMNT say!("Srmount error");
            COMM ECOMM say!("Communication error on send");
            MULTIHOP EMULTIHOP say!("Multihop attempted");
            DOTDOT EDOTDOT say!("RFS specific error");
            NOTUNIQ ENOTUNIQ say!("Name not unique on network");
            BADFD EBADFD say!("File descriptor in bad state");
            REMCHG EREMCHG say!("Remote address changed");
            LIBACC ELIBACC say!("Can not access a needed shared library");
            LIBSCN ELIBSCN say!(".lib section in a.out corrupted");
            LIBMAX ELIBMAX say!("Attempting to link in too many shared libraries");
            LIBEXEC ELIBEXEC say!("Cannot exec a shared library directly");
            RESTART ERESTART say!("Interrupted system call should be restarted");
            STRPIPE ESTRPIPE say!("Streams pipe error");
            DESTADDRREQ EDESTADDRREQ say!("Destination address required");
            MSGSIZE EMSGSIZE say!("Message too long");
            PROTOTYPE EPROTOTYPE say!("Protocol wrong type for socket");
            NOPROTOOPT ENOPROTOOPT say!("Protocol not available");
            PROTONOSUPPORT EPROTONOSUPPORT say!("Protocol not supported");
            SOCKTNOSUPPORT ESOCKTNOSUPPORT say!("Socket type not supported");
            PFNOSUPPORT EPFNOSUPPORT say!("Protocol family not supported");
            ADDRINUSE EADDRINUSE say!("Address already in use");
            ADDRNOTAVAIL EADDRNOTAVAIL say!("Cannot assign requested address");
            NETDOWN ENETDOWN say!("Network is down");
            NETRESET ENETRESET say!("Network dropped connection on reset");
            CONNRESET ECONNRESET say!("Connection reset by peer");
            ISCONN EISCONN say!("Transport endpoint is already connected");
            SHUTDOWN ESHUTDOWN say!("Cannot send after transport endpoint shutdown");
            TOOMANYREFS ETOOMANYREFS say!("Too many references: cannot splice");
            ALREADY EALREADY say!("Operation already in progress");
            INPROGRESS EINPROGRESS say!("Operation now in progress");
            NOTNAM ENOTNAM say!("Not a XENIX named type file");
            NAVAIL ENAVAIL say!("No XENIX semaphores available");
            ISNAM EISNAM say!("Is a named type file");
            MEDIUMTYPE EMEDIUMTYPE say!("Wrong medium type");
            CANCELED ECANCELED say!("Operation canceled");
            OWNERDEAD EOWNERDEAD say!("Owner died");
            NOTRECOVERABLE ENOTRECOVERABLE say!("State not recoverable");
            RFKILL ERFKILL say!("Operation not possible due to RF-kill");
            HWPOISON EHWPOISON say!("Memory page has hardware error");
        }
    };
}
#[cfg(not(feature = "errnos"))]
macro_rules! rare_errnos {
    ($with:ident) => {
        $with! {}
    };
}
pub(crate) use rare_errnos;

/// Our own reasons, which no errno states: the constant with its meaning, and the text.
///
/// `reasons!(name)` calls the macro `name` with all rows.
macro_rules! reasons {
    ($with:ident) => {
        $with! {
            /// The destination of a mount is a symbolic link.
            SYMLINK say!("the destination is a symlink");
            /// Something other than a directory is where a directory must be.
            NO_DIRECTORY say!("the destination is not a directory");
            /// A directory is where a file is to be mounted.
            NO_FILE say!("the destination is not a file");
            /// A directory that no path below `/` leads to.
            OUTSIDE say!("it is outside the root");
            /// A file that is read has another kind.
            #[cfg(any(feature = "forms", feature = "keeper"))]
            NO_REGULAR say!("it is not a regular file");
            /// A signal ended a process of nsinit's own.
            KILLED say!("a signal killed the process that does it");
            /// No security module accepts this context.
            NO_LABELS say!("labeling not supported on this system");
            /// A symbolic link with another target is there.
            OTHER_LINK say!("existing destination is another link");
            /// Something other than a symbolic link is there.
            NO_LINK say!("destination exists and is not a symlink");
            /// A file or a descriptor that must name a process does not.
            NO_PROCESS say!("it holds no process id");
            /// A word is neither a number nor the path of a file.
            #[cfg(feature = "enter")]
            NO_NAME say!("no file and no running container has this name (see nsinit --list)");
            /// A process is in none of the places outside or at the top of a container.
            #[cfg(feature = "enter")]
            NO_FIRST say!("no running container has this process (see nsinit --list)");
            /// Several containers have one name.
            #[cfg(feature = "enter")]
            SEVERAL say!("several containers have this name: use a process id (see nsinit --list)");
            /// A process is in the namespaces that nsinit is in.
            #[cfg(any(feature = "enter", feature = "hints", feature = "stats"))]
            NO_CONTAINER say!("it is in the same namespaces as nsinit");
            /// A process is in another cgroup of version 1, and in none of version 2.
            OLD_CGROUP say!("it is in a cgroup of version 1");
            /// A process has other namespaces than before.
            #[cfg(feature = "enter")]
            CHANGED say!("it has changed its namespaces meanwhile");
            /// A user namespace maps no ids.
            NO_IDS say!("no ids are mapped in its user namespace");
            /// A file is longer than its content can be.
            TOO_LONG say!("it is too long");
            /// A file holds no file system that nsinit knows.
            NO_IMAGE say!("it is not an erofs, squashfs or ext4 file system");
            /// A command line in a text ends between two quotes.
            OPEN_QUOTE say!("a quote is not closed");
            /// A program has ended too often.
            TOO_OFTEN say!("it has ended too often (see --max-restarts)");
            /// The device of `root=` holds none, and there is no `rootfstype=`.
            #[cfg(feature = "root-device")]
            NO_ROOT_IMAGE say!("it holds no file system that nsinit knows (see rootfstype=)");
            /// As `NO_ROOT_IMAGE`, for the device of `--overlay-device`.
            #[cfg(feature = "root-device")]
            NO_DISK_IMAGE say!("it holds no file system that nsinit knows");
            /// No block device has the name or the identity.
            #[cfg(feature = "root-device")]
            NO_SUCH_DEVICE say!("no such block device");
            /// A directory is part of the file system of its parent.
            NO_MOUNT say!("it is not the mount point of another file system");
            /// ENOSPC: there are free blocks, but no free inodes.
            NO_INODES say!("No space left on device");
            /// ENOENT: the target of a symbolic link on the path is missing.
            DANGLING say!("No such file or directory");
            /// newuidmap(1) or newgidmap(1) has not written a map.
            #[cfg(any(feature = "hints", feature = "ids", feature = "net"))]
            HELPER say!("it has failed");
            /// A device file is not the device that its name stands for.
            NO_DEVICE say!("it is not the device of that name");
            /// The kernel's Landlock lacks a right.
            #[cfg(feature = "landlock")]
            OLD_LANDLOCK say!("this kernel's Landlock is too old");
            /// `--cgroup`: the directory is on another file system.
            #[cfg(feature = "cgroup")]
            NO_CGROUP say!("it is not a cgroup of version 2");
            /// A container is in a cgroup that other processes may be in too.
            #[cfg(feature = "cgroup")]
            NO_OWN_CGROUP say!("its container has no cgroup of its own");
            /// cgroup.freeze does not exist.
            #[cfg(feature = "stats")]
            NO_FREEZER say!("this kernel cannot freeze a cgroup, which needs Linux 5.2");
            /// No directory shows the cgroups.
            #[cfg(feature = "cgroup")]
            NO_TREE say!("no cgroup2 is mounted at /sys/fs/cgroup");
            /// nsinit would freeze itself.
            #[cfg(feature = "stats")]
            INSIDE say!("nsinit itself is in that container");
            /// The kernel has not frozen all processes of a cgroup.
            #[cfg(feature = "stats")]
            NOT_FROZEN say!("a process in it does not stop");
            /// A cgroup is still frozen after it was thawed.
            #[cfg(feature = "stats")]
            STILL_FROZEN say!("a cgroup above its own is frozen");
            /// `--cgroup1`: the directory is on another file system.
            #[cfg(feature = "cgroup")]
            NO_OLD_CGROUP say!("it is not a cgroup of version 1");
            /// No controller is in the cgroup.
            #[cfg(any(feature = "cgroup", feature = "probe"))]
            NO_CONTROLLERS say!("there are none");
            /// A call has not returned, and the kernel writes nothing meanwhile.
            NO_END say!("it does not end");
            /// A step needs a value that no step before it has learned.
            ORDER say!("a step before it is missing");
        }
    };
}
pub(crate) use reasons;
