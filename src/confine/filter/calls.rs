//! The system calls that the built-in filter refuses. Every other call that has a number is allowed: whether the container can do harm
//! with it depends on its namespaces, its capabilities and its files.
//!
//! The list follows the default profiles of Docker and podman. It refuses what podman's refuses, except for io_pgetevents(2), which is
//! like io_getevents(2), and for calls that are younger than that profile, harmless, and allowed by Docker's. It allows what
//! Docker's allows, except for vmsplice(2). `tests/it/filter` has every call, with the answer of each of the three.

use super::class::*;

/// A call, its number in each column, and its class.
pub struct Row {
    #[cfg(test)]
    pub name: &'static str,
    pub numbers: [Option<u16>; 4],
    pub class: Class,
}

macro_rules! number {
    (_) => {
        None
    };
    ($number:literal) => {
        Some($number)
    };
}

/// A group a class: `CLASS: { name: x86_64 i386 arm aarch64; ... }`.
macro_rules! calls {
    ($($class:expr => { $($name:ident: $x86_64:tt $i386:tt $arm:tt $aarch64:tt;)* })*) => {
        pub const ROWS: &[Row] = &[$($(Row {
            #[cfg(test)]
            name: stringify!($name),
            numbers: [number!($x86_64), number!($i386), number!($arm), number!($aarch64)],
            class: $class,
        },)*)*];
    };
}

calls! {
    // Mounts, and what a launcher of containers needs: with CAP_SYS_ADMIN of a user namespace they reach code of the kernel that many
    // attacks began with.
    NESTING => {
        mount: 165 21 21 40;
        umount: _ 22 _ _;
        umount2: 166 52 52 39;
        pivot_root: 155 217 218 41;
        open_tree: 428 428 428 428;
        move_mount: 429 429 429 429;
        fsopen: 430 430 430 430;
        fsconfig: 431 431 431 431;
        fsmount: 432 432 432 432;
        fspick: 433 433 433 433;
        mount_setattr: 442 442 442 442;
        open_tree_attr: 467 467 467 467;
        setns: 308 346 375 268;
        sethostname: 170 74 74 161;
        setdomainname: 171 121 121 162;
    }
    // The flags are in a register: those that make namespaces are refused, threads and processes are not.
    CHECKED_UNLESS + NESTING => {
        clone: 56 120 120 220;
        unshare: 272 310 337 97;
    }
    // Its flags are in memory, where a filter cannot read them: after ENOSYS a C library uses clone(2).
    MISSING_UNLESS + NESTING => {
        clone3: 435 435 435 435;
    }
    // The kernel asks for the same capability.
    SYS_ADMIN => {
        quotactl: 179 131 131 60;
        quotactl_fd: 443 443 443 443;
        lookup_dcookie: 212 253 249 18;
    }
    // A user may watch files of its own without it since Linux 5.13: the engines do not permit that.
    SYS_ADMIN => {
        fanotify_init: 300 338 367 262;
    }
    // They show how the kernel is confined, and need no capability: as in Docker's profile.
    SYS_ADMIN => {
        lsm_get_self_attr: 459 459 459 459;
        lsm_set_self_attr: 460 460 460 460;
        lsm_list_modules: 461 461 461 461;
    }
    // Large, and open to ordinary users, depending on sysctls of the host.
    BPF => {
        bpf: 321 357 386 280;
    }
    PERFMON => {
        perf_event_open: 298 336 364 241;
    }
    // The log of the host's kernel.
    SYSLOG => {
        syslog: 103 103 103 116;
    }
    SYS_MODULE => {
        init_module: 175 128 128 105;
        finit_module: 313 350 379 273;
        delete_module: 176 129 129 106;
        create_module: 174 127 _ _;
        get_kernel_syms: 177 130 _ _;
        query_module: 178 167 _ _;
    }
    // They look into other processes. The kernel asks for the rights of ptrace(2), which is allowed: debuggers work, on processes of the
    // container.
    SYS_PTRACE => {
        kcmp: 312 349 378 272;
        pidfd_getfd: 438 438 438 438;
        process_madvise: 440 440 440 440;
    }
    SYS_BOOT => {
        reboot: 169 88 88 142;
    }
    SYS_PACCT => {
        acct: 163 51 51 89;
    }
    SYS_RAWIO => {
        iopl: 172 110 _ _;
        ioperm: 173 101 _ _;
    }
    SYS_TTY_CONFIG => {
        vhangup: 153 111 111 58;
    }
    // The clocks of the host. adjtimex(2) and clock_adjtime(2) are allowed: they read, and the kernel refuses to change.
    SYS_TIME => {
        settimeofday: 164 79 79 170;
        clock_settime: 227 264 262 112;
        clock_settime64: _ 404 404 _;
        stime: _ 25 _ _;
    }
    // The placement of memory on the host's nodes.
    SYS_NICE => {
        mbind: 237 274 319 235;
        set_mempolicy: 238 276 321 237;
        get_mempolicy: 239 275 320 236;
        set_mempolicy_home_node: 450 450 450 450;
    }
    // A file of the host by its number, whatever mount it is in. name_to_handle_at(2) only reads the number.
    DAC_READ_SEARCH => {
        open_by_handle_at: 304 342 371 265;
    }
    SYS_CHROOT => {
        chroot: 161 61 61 51;
    }
    // Keys belong to users, not to containers: those of the same user outside would be in reach. runc and crun, as podman inside starts
    // them, go on without a keyring of their own after ENOSYS, and fail after EPERM.
    MISSING_UNLESS + KEYS => {
        add_key: 248 286 309 217;
        request_key: 249 287 310 218;
        keyctl: 250 288 311 219;
    }
    // Its calls are not seen by a filter, and it is a source of attacks.
    NEVER => {
        io_uring_setup: 425 425 425 425;
        io_uring_enter: 426 426 426 426;
        io_uring_register: 427 427 427 427;
    }
    // It stops the kernel in the middle of a copy: attacks use it to win races.
    NEVER => {
        userfaultfd: 323 374 388 282;
    }
    // They act on the machine: no container needs them.
    NEVER => {
        kexec_load: 246 283 347 104;
        kexec_file_load: 320 _ 401 294;
        swapon: 167 87 87 224;
        swapoff: 168 115 115 225;
        migrate_pages: 256 294 400 238;
        move_pages: 279 317 344 239;
        pciconfig_iobase: _ _ 271 _;
        pciconfig_read: _ _ 272 _;
        pciconfig_write: _ _ 273 _;
    }
    // Pages of a process in a pipe: it took part in CVE-2020-29374. Nothing common needs it; podman refuses it too.
    NEVER => {
        vmsplice: 278 316 343 75;
    }
    // Old, and replaced; or removed from Linux.
    NEVER => {
        uselib: 134 86 86 _;
        ustat: 136 62 62 _;
        sysfs: 139 135 135 _;
        _sysctl: 156 149 149 _;
        nfsservctl: 180 169 169 42;
        bdflush: _ 134 134 _;
        nice: _ 34 34 _;
        oldstat: _ 18 _ _;
        oldfstat: _ 28 _ _;
        oldlstat: _ 84 _ _;
        oldolduname: _ 59 _ _;
        olduname: _ 109 _ _;
        sgetmask: _ 68 _ _;
        ssetmask: _ 69 _ _;
        vm86old: _ 113 _ _;
        vm86: _ 166 _ _;
    }
    // It can make pages executable that should not be (READ_IMPLIES_EXEC), and addresses easy to guess.
    AT + PERSONALITY => {
        personality: 135 136 136 92;
    }
    // Families that lead out of a container (VSOCK) or to code that attacks used (ALG), and those that need a capability.
    // socketcall(2) of i386 is allowed as in the engines' profiles, or programs of Debian would have no network; its arguments are in
    // memory, and not checked.
    AT + SOCKET => {
        socket: 41 359 281 198;
    }
    // TIOCSTI and TIOCLINUX type into a terminal (CVE-2017-5226, CVE-2023-28100).
    AT + IOCTL => {
        ioctl: 16 54 54 29;
    }
}
