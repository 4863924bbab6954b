# fish completion for nsinit. Made by scripts/man.

# Prints CMD and its words before the cursor. Fails where the cursor is at an option, or at a value of one.
function __nsinit_command
    set -l words (commandline -opc)
    set -e words[1]
    while set -q words[1]
        set -l values
        switch $words[1]
            case --
                set -e words[1]
                set -q words[1]; and printf '%s\n' $words
                return 0
            case '--*=*'
            case --root --image --sys --cgroup2 --join-user --join-net --join-ipc --join-uts --join-pid --join-mount --join-cgroup --join-time --keep-fd --pass-env --umask --rewrite --grace --stop-timeout --remap --enter --pid-file --ready-fd --status-fd --name --on-exit --switch-root --remount-ro --overlay-src --tmp-overlay --ro-overlay --proc --dev --tmpfs --mqueue --dir --perms --size --userns --userns2 --pidns --hostname --uid --gid --cap-add --cap-drop --seccomp --add-seccomp-fd --exec-label --file-label --chdir --unsetenv --lock-file --sync-fd --block-fd --userns-block-fd --info-fd --json-status-fd --argv0 --args
                set values 1
            case --bind --bind-try --ro-bind --ro-bind-try --dev-bind --dev-bind-try --bind-fd --ro-bind-fd --file --bind-data --ro-bind-data --symlink --chmod --setenv
                set values 1 2
            case --overlay
                set values 1 2 3
            case '-*'
            case '*'
                printf '%s\n' $words
                return 0
        end
        set -e words[1]
        for value in $values
            set -q words[1]; or return 1
            set -e words[1]
        end
    end
    not string match -q -- '-*' (commandline -ct)
end

complete -c nsinit -n '__nsinit_command >/dev/null' -x -a '(complete -C (string join " " -- (__nsinit_command | string escape) (commandline -ct)))'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l root -x -a '(__fish_complete_directories)' -d 'run CMD in a new container whose root is DIR, with safe defaults'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l image -r -F -d 'use an image (erofs, squashfs, ext4) as the root, read-only; needs root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l read-only -d 'forbid all writes to the root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l volatile -d 'discard all writes to the root at exit (overlay on a tmpfs)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l no-masks -d 'do not mask sensitive files in /proc and /sys (as root: exposes the host)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l no-proc -d 'do not mount /proc'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l no-sys -d 'do not mount /sys'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l sys -r -F -d 'mount sysfs at DEST, read-only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l cgroup2 -r -F -d 'mount the cgroup v2 tree at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l noexec -d 'forbid execution in the next mount'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l exec -d 'allow execution in the next mount even if SRC is noexec'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-ipc -d 'use the host\'s System V and POSIX IPC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-pid -d 'use the host\'s process ids, and see its processes'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-uts -d 'use the host\'s host name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-cgroup -d 'see the host\'s whole cgroup tree'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-user -d 'no user namespace: root inside is root outside; needs root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l allow-nesting -d 'let CMD make user and cgroup namespaces (containers in the container)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-time -d 'make a time namespace (own boot and monotonic clocks)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-user -r -F -d 'join the user namespace of a process id, a pid file, fd:N or a path'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-net -r -F -d 'join a network namespace, for example one of ip-netns(8)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-ipc -r -F -d 'join an IPC namespace'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-uts -r -F -d 'join a UTS namespace (host name)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-pid -r -F -d 'join a pid namespace'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-mount -r -F -d 'join a mount namespace, and use its root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-cgroup -r -F -d 'join a cgroup namespace'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-time -r -F -d 'join a time namespace'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l allow-new-privs -d 'let set-id programs and file capabilities take effect'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l keep-keyring -d 'let CMD use the caller\'s session keyring (keyrings(7))'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l keep-fd -x -d 'pass descriptor N to CMD, and no other above 2'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pass-env -x -d 'pass the caller\'s variable NAME to CMD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l keep-env -d 'pass all of the caller\'s variables to CMD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l umask -x -d 'set the file mode creation mask of CMD (default: the caller\'s)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l init -d 'run CMD in place, without a container, and be its init'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l group -d 'forward signals to CMD\'s process group'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l all -d 'forward signals to every process (if not process 1: to every child)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l rewrite -x -d 'forward signal A as signal B; do not forward it if B is 0'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l grace -x -d 'after CMD\'s exit, kill other processes SECONDS after SIGTERM (default: 2)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l wait-all -d 'after CMD\'s exit, wait until all other processes have ended'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l stop-timeout -x -d 'kill CMD if it still runs SECONDS after a signal to end'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l remap -x -d 'exit with M if CMD exits with N; without :M, exit with 0'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l propagate-signal -d 'if a signal kills CMD, die of the same signal'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l verbose -d 'report CMD\'s start and end; twice: signals too; three times: orphans too'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l explain -d 'print the steps, process by process, and run nothing'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l enter -r -F -d 'run CMD in the container of TARGET: a process id, a pid file or fd:N'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pty -d 'give CMD a terminal of its own, even if the caller has none'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-terminal -d 'let CMD use the caller\'s terminal, and read what is typed there'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l detach -d 'exit with 0 as soon as CMD runs, and leave it running'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pid-file -r -F -d 'create PATH with the id of process 1 in it, and remove it at the end'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ready-fd -x -d 'write a newline to descriptor N as soon as CMD runs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l status-fd -x -d 'write JSON lines to fd N: the container\'s process 1, then CMD\'s exit'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l name -x -d 'show NAME in ps, and use it as host name if none is given'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l boot -d 'prepare the machine, run CMD, shut the machine down; needs process 1'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l on-exit -x -a 'poweroff reboot halt shell respawn' -d 'when CMD ends: poweroff (default), reboot, halt, shell or respawn'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l respawn -d 'start CMD again each time it ends'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l switch-root -x -a '(__fish_complete_directories)' -d 'make the mount point DIR the root, and become CMD there (/sbin/init)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind -r -F -d 'bind mount SRC of the host at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind-try -r -F -d 'bind mount SRC at DEST, if SRC exists'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind -r -F -d 'bind mount SRC at DEST, read-only, and every mount below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind-try -r -F -d 'bind mount SRC at DEST, read-only, if SRC exists'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dev-bind -r -F -d 'bind mount SRC at DEST, with device files that work'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dev-bind-try -r -F -d 'bind mount SRC at DEST, with device files that work, if SRC exists'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind-fd -x -d 'bind mount the file or directory that FD has open at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind-fd -x -d 'bind mount what FD has open at DEST, read-only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l remount-ro -r -F -d 'make the mount at DEST read-only, but not the mounts below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l overlay-src -r -F -d 'add SRC as the next layer, from the bottom up, of the overlay that follows'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l overlay -r -F -d 'mount an overlay that writes to RWSRC; WORKDIR: empty, on the same fs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l tmp-overlay -r -F -d 'mount an overlay at DEST that discards all writes at exit'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-overlay -r -F -d 'mount a read-only overlay at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l proc -r -F -d 'mount a new procfs at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dev -r -F -d 'mount a new /dev at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l tmpfs -r -F -d 'mount an empty tmpfs at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l mqueue -r -F -d 'mount the POSIX message queues at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dir -r -F -d 'create a directory at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l file -x -d 'copy FD to a new file at DEST; with --root the file stays in DIR'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind-data -x -d 'copy FD to a file in memory, and mount it at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind-data -x -d 'copy FD to a file in memory, and mount it at DEST, read-only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l symlink -r -F -d 'create a symbolic link at DEST that leads to SRC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l chmod -x -d 'change the mode of PATH'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l perms -x -d 'set the mode of the next file, directory or tmpfs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l size -x -d 'set the size of the next --tmpfs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-all -d 'make a new namespace of each kind except time'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-net -d 'use the host\'s network'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-user -d 'make a user namespace (own user and group ids)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-user-try -d 'make a user namespace if the kernel has them'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-ipc -d 'make an IPC namespace (own System V and POSIX IPC)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-pid -d 'make a pid namespace (own process ids)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-net -d 'make a network namespace (only lo in it)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-uts -d 'make a UTS namespace (own host name)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-cgroup -d 'make a cgroup namespace (own root of the cgroup tree)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-cgroup-try -d 'make a cgroup namespace if the kernel has them'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l userns -x -d 'join the user namespace that FD has open'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l userns2 -x -d 'join the user namespace that FD has open, after the setup'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pidns -x -d 'join the pid namespace that FD has open, or make a new one below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l disable-userns -d 'forbid user namespaces inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l assert-userns-disabled -d 'fail if a user namespace can be made inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l hostname -x -d 'set the host name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l uid -x -d 'set the user id of CMD (default with --root: 0)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l gid -x -d 'set the group id of CMD (default with --root: 0)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l cap-add -x -a 'ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM' -d 'keep a capability, or ALL (with --root: in addition to the default 14)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l cap-drop -x -a 'ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM' -d 'drop a capability, or ALL'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l seccomp -x -d 'filter system calls with the program that FD holds'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l add-seccomp-fd -x -d 'add the program that FD holds to the filters'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l exec-label -x -d 'set the SELinux context of CMD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l file-label -x -d 'set the SELinux context of new files and mounts'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l not-a-security-boundary -d 'continue if a mount below a --bind cannot be restricted'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l chdir -x -a '(__fish_complete_directories)' -d 'start CMD in DIR (default: the caller\'s directory; with --root: /)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l setenv -x -a '(set -nx)' -d 'set a variable (with --root, the caller\'s are not passed to CMD)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unsetenv -x -a '(set -nx)' -d 'unset a variable'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l clearenv -d 'unset all variables'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l lock-file -r -F -d 'hold a read lock on DEST while any process is inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l sync-fd -x -d 'keep FD open while any process is inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l block-fd -x -d 'do not start CMD before FD can be read'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l userns-block-fd -x -d 'let another program write the id maps; continue when FD can be read'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l info-fd -x -d 'write the id of process 1 to FD, as JSON'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l json-status-fd -x -d 'write JSON lines to FD: process 1, then the exit status of CMD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l new-session -d 'run CMD in a new session, without the caller\'s terminal'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l die-with-parent -d 'kill CMD and its container when the caller ends'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l as-pid-1 -d 'run CMD itself as process 1: no init reaps orphans or forwards signals'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l argv0 -x -d 'set argv[0] of CMD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l args -x -d 'read more options from FD, a NUL after each word'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l level-prefix -d 'begin messages with their severity, <3> or <4>'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l help -d 'print this text'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l version -d 'print the version'
