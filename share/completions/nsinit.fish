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
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l root -x -a '(__fish_complete_directories)' -d 'make DIR the root, with /proc, /dev, /sys and safe defaults'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l image -r -F -d 'the same of an erofs, squashfs or ext4, read-only (root only)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l read-only -d 'nothing can be written to it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l volatile -d 'what is written to it vanishes at the end'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l no-masks -d 'do not mask sensitive files in /proc and /sys (as root: exposes the host)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l no-proc -d 'do not mount /proc'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l no-sys -d 'do not mount /sys'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l sys -r -F -d 'a /sys, read-only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l cgroup2 -r -F -d 'the cgroup tree'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l noexec -d 'nothing can be executed in the next mount'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l exec -d 'or it can, though its SRC says otherwise'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-ipc -d 'use the host\'s System V and POSIX IPC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-pid -d 'see the host\'s processes'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-uts -d 'use the host\'s host name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-cgroup -d 'see the host\'s cgroup tree'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-user -d 'no user namespace: root inside is root outside; needs root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l allow-nesting -d 'let CMD create user and cgroup namespaces (containers in the container)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-time -d 'new offsets for the boot and the monotonic clock'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-user -r -F -d 'use that of a process, of a file that holds its id, of fd:N, or a path'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-net -r -F -d 'the same for the network, as of ip-netns(8)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-ipc -r -F -d 'System V and POSIX IPC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-uts -r -F -d 'the host name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-pid -r -F -d 'the process ids'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-mount -r -F -d 'the mounts, with their root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-cgroup -r -F -d 'the root of the cgroup tree'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l join-time -r -F -d 'the offsets of the clocks'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l allow-new-privs -d 'let set-id programs and file capabilities work'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l keep-keyring -d 'let CMD use the caller\'s session keyring (keyrings(7))'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l keep-fd -x -d 'leave descriptor N open in CMD, and else none from 3 up'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pass-env -x -d 'pass a variable of the caller\'s on'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l keep-env -d 'pass all of them on'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l umask -x -d 'file mode creation mask of CMD (the caller\'s)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l init -d 'be the init of CMD in place, as without --root'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l group -d 'forward signals to CMD\'s whole process group'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l all -d 'forward signals to every process (not process 1: to its children)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l rewrite -x -d 'forward signal A as B, or for B 0 not at all'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l grace -x -d 'at CMD\'s end the rest gets SIGTERM, then SIGKILL (2)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l wait-all -d 'wait for the last process instead'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l stop-timeout -x -d 'SIGKILL for CMD so long after a signal to end'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l remap -x -d 'exit with M where CMD\'s status is N; N alone: with 0'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l propagate-signal -d 'die of the signal that CMD died of'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l verbose -d 'tell what happens; again: signals too; again: orphans too'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l explain -d 'print the steps, process by process, and run nothing'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l enter -r -F -d 'run CMD in the container of WHO: a process id, a file that holds one, fd:N'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pty -d 'give CMD a terminal of its own, whatever the caller has'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-terminal -d 'let CMD use the caller\'s terminal, and read what is typed there'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l detach -d 'end with 0 once CMD runs, which goes on'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pid-file -r -F -d 'make a file with the id of process 1, while CMD runs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ready-fd -x -d 'write a line end to N once CMD runs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l status-fd -x -d 'tell N of process 1 and of CMD\'s end, in lines of JSON'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l name -x -d 'what ps shows, and the host name if there is no other'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l boot -d 'prepare the machine, supervise CMD, end the machine (process 1 only)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l on-exit -x -a 'poweroff reboot halt shell respawn' -d 'when CMD has ended: poweroff (else), reboot, halt, shell, respawn'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l respawn -d 'start CMD again when it has ended'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l switch-root -x -a '(__fish_complete_directories)' -d 'make DIR, a mount, the root for good, and CMD its init (/sbin/init)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind -r -F -d 'show SRC of the host at DEST'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind-try -r -F -d 'the same, if there is a SRC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind -r -F -d 'the same as --bind, read-only with all below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind-try -r -F -d 'the same, if there is a SRC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dev-bind -r -F -d 'the same as --bind, and device files in it work'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dev-bind-try -r -F -d 'the same, if there is a SRC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind-fd -x -d 'show what FD has open'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind-fd -x -d 'the same, read-only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l remount-ro -r -F -d 'make the mount at DEST read-only, and none below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l overlay-src -r -F -d 'the next layer of the overlay that follows, from the bottom up'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l overlay -r -F -d 'layers as one; writes go to RWSRC, by an empty WORKDIR beside it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l tmp-overlay -r -F -d 'the same, but what is written vanishes at the end'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-overlay -r -F -d 'the same, but nothing can be written'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l proc -r -F -d 'a /proc'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dev -r -F -d 'a /dev'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l tmpfs -r -F -d 'an empty file system in memory'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l mqueue -r -F -d 'the POSIX message queues'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l dir -r -F -d 'a directory'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l file -x -d 'copy FD to a file (0600) kept in DIR; --ro-bind-data keeps nothing there'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l bind-data -x -d 'the same, as a mount'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l ro-bind-data -x -d 'the same, read-only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l symlink -r -F -d 'a symbolic link at DEST that says SRC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l chmod -x -d 'change the mode of what is there'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l perms -x -d 'the mode of the next file, directory or file system'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l size -x -d 'the size of the next --tmpfs'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-all -d 'new ones of every kind but time'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l share-net -d 'use the host\'s network'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-user -d 'new user and group ids'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-user-try -d 'the same, where the kernel has them'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-ipc -d 'new System V and POSIX IPC'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-pid -d 'new process ids'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-net -d 'a new network, with lo only'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-uts -d 'a new host name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-cgroup -d 'a new root of the cgroup tree'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unshare-cgroup-try -d 'the same, where the kernel has them'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l userns -x -d 'use this user namespace'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l userns2 -x -d 'and at the end this one below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l pidns -x -d 'use this pid namespace, or begin a new one below it'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l disable-userns -d 'nobody inside can make a user namespace'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l assert-userns-disabled -d 'fail if somebody inside could'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l hostname -x -d 'host name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l uid -x -d 'user id of CMD (with --root 0)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l gid -x -d 'group id of CMD (with --root 0)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l cap-add -x -a 'ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM' -d 'keep a capability, or ALL (with --root besides the usual 14)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l cap-drop -x -a 'ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM' -d 'drop one, or ALL'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l seccomp -x -d 'filter system calls by the program that FD holds'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l add-seccomp-fd -x -d 'the same, besides others'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l exec-label -x -d 'SELinux context of CMD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l file-label -x -d 'and of what is made'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l not-a-security-boundary -d 'go on where a mount below a --bind can\'t be restricted'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l chdir -x -a '(__fish_complete_directories)' -d 'directory of CMD (with --root /, else the caller\'s)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l setenv -x -a '(set -nx)' -d 'set a variable (with --root the caller\'s are not passed on)'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l unsetenv -x -a '(set -nx)' -d 'unset a variable'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l clearenv -d 'unset all'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l lock-file -r -F -d 'lock a file for reading while anybody is inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l sync-fd -x -d 'keep FD open while anybody is inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l block-fd -x -d 'wait, before CMD starts, until FD can be read'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l userns-block-fd -x -d 'let somebody else write the id maps, and wait for FD'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l info-fd -x -d 'write who process 1 is to FD, as JSON'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l json-status-fd -x -d 'the same in lines, with the exit status at the end'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l new-session -d 'give CMD a session without the caller\'s terminal'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l die-with-parent -d 'end when the caller ends'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l as-pid-1 -d 'CMD itself is process 1: nothing reaps or forwards inside'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l argv0 -x -d 'tell CMD that this is its name'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l args -x -d 'read more options from FD, each word ended by a NUL'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l level-prefix -d 'begin messages with <3> or <4>'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l help -d 'print this'
complete -c nsinit -n 'not __nsinit_command >/dev/null' -l version -d 'print the version'
