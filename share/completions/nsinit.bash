# bash completion for nsinit. Made by scripts/man.

declare -gA _nsinit_values=(
    [--root]='directory'
    [--image]='file'
    [--read-only]=''
    [--systemd]=''
    [--no-masks]=''
    [--no-proc]=''
    [--no-sys]=''
    [--sys]='file'
    [--cgroup2]='file'
    [--volatile]=''
    [--overlay-root]='file file'
    [--noexec]=''
    [--exec]=''
    [--net]='file'
    [--net-device]='none'
    [--resolv-conf]='file'
    [--share-ipc]=''
    [--share-pid]=''
    [--share-uts]=''
    [--share-cgroup]=''
    [--share-user]=''
    [--unshare-time]=''
    [--map-uid]='none'
    [--map-gid]='none'
    [--map-auto]=''
    [--idmap]=''
    [--join-user]='file'
    [--join-net]='file'
    [--join-ipc]='file'
    [--join-uts]='file'
    [--join-pid]='file'
    [--join-mount]='file'
    [--join-cgroup]='file'
    [--join-time]='file'
    [--no-new-privs]=''
    [--allow-new-privs]=''
    [--allow-nesting]=''
    [--seccomp-profile]='profile'
    [--keep-keyring]=''
    [--keep-fd]='none'
    [--pass-env]='none'
    [--keep-env]=''
    [--umask]='none'
    [--env-file]='file'
    [--groups]='none'
    [--init]=''
    [--group]=''
    [--all]=''
    [--rewrite]='none'
    [--grace]='none'
    [--wait-all]=''
    [--stop-timeout]='none'
    [--remap]='none'
    [--propagate-signal]=''
    [--verbose]=''
    [--explain]=''
    [--probe]=''
    [--json]=''
    [--enter]='file'
    [--list]=''
    [--stop]='file'
    [--freeze]='file'
    [--thaw]='file'
    [--pty]=''
    [--share-terminal]=''
    [--detach]=''
    [--pid-file]='file'
    [--ready-fd]='none'
    [--status-fd]='none'
    [--name]='none'
    [--boot]=''
    [--on-exit]='at_exit'
    [--respawn]=''
    [--max-restarts]='none'
    [--on-failure]='none'
    [--switch-root]='directory'
    [--watchdog]='none'
    [--seed]='file'
    [--clock-epoch]='file'
    [--exit-port]='none'
    [--exit-vsock]='none'
    [--no-power-button]=''
    [--wait-device]='none'
    [--overlay-device]='file'
    [--console]='none'
    [--service]='file'
    [--after]='none'
    [--service-status]=''
    [--restart]='restart'
    [--log]='file'
    [--notify]=''
    [--notify-ready]=''
    [--keeper-pid-file]='file'
    [--memory]='none'
    [--memory-high]='none'
    [--swap]='none'
    [--pids]='none'
    [--cpu]='none'
    [--cpu-weight]='none'
    [--cpuset]='none'
    [--io-max]='none'
    [--io-weight]='none'
    [--cgroup]='file'
    [--cgroup-delegate]=''
    [--cgroup-set]='none'
    [--cgroup1]='file'
    [--stats]=''
    [--landlock-ro]='file'
    [--landlock-rw]='file'
    [--landlock-exec]='file'
    [--landlock-connect]='none'
    [--landlock-bind]='none'
    [--landlock-try]=''
    [--rlimit]='none'
    [--nice]='none'
    [--cpus]='none'
    [--oom-score-adj]='none'
    [--mdwe]=''
    [--securebits]='none'
    [--sysctl]='none'
    [--proc-subset]=''
    [--bind]='file file'
    [--bind-try]='file file'
    [--ro-bind]='file file'
    [--ro-bind-try]='file file'
    [--dev-bind]='file file'
    [--dev-bind-try]='file file'
    [--bind-fd]='none file'
    [--ro-bind-fd]='none file'
    [--remount-ro]='file'
    [--overlay-src]='file'
    [--overlay]='file file file'
    [--tmp-overlay]='file'
    [--ro-overlay]='file'
    [--proc]='file'
    [--dev]='file'
    [--tmpfs]='file'
    [--mqueue]='file'
    [--dir]='file'
    [--file]='none file'
    [--bind-data]='none file'
    [--ro-bind-data]='none file'
    [--symlink]='file file'
    [--chmod]='none file'
    [--perms]='none'
    [--size]='none'
    [--unshare-all]=''
    [--share-net]=''
    [--unshare-user]=''
    [--unshare-user-try]=''
    [--unshare-ipc]=''
    [--unshare-pid]=''
    [--unshare-net]=''
    [--unshare-uts]=''
    [--unshare-cgroup]=''
    [--unshare-cgroup-try]=''
    [--userns]='none'
    [--userns2]='none'
    [--pidns]='none'
    [--disable-userns]=''
    [--assert-userns-disabled]=''
    [--hostname]='none'
    [--uid]='none'
    [--gid]='none'
    [--cap-add]='capability'
    [--cap-drop]='capability'
    [--seccomp]='none'
    [--add-seccomp-fd]='none'
    [--exec-label]='none'
    [--file-label]='none'
    [--not-a-security-boundary]=''
    [--chdir]='directory'
    [--setenv]='variable none'
    [--unsetenv]='variable'
    [--clearenv]=''
    [--lock-file]='file'
    [--sync-fd]='none'
    [--block-fd]='none'
    [--userns-block-fd]='none'
    [--info-fd]='none'
    [--json-status-fd]='none'
    [--new-session]=''
    [--die-with-parent]=''
    [--as-pid-1]=''
    [--argv0]='none'
    [--args]='none'
    [--level-prefix]=''
    [--help]=''
    [--version]=''
)

_nsinit() {
    local words=() word joined='' i kinds=()
    # bash parts words at `=` and `:` too: `--root=DIR`, `--rewrite 15:2`.
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        case $word in
        =) ;;
        :) joined=yes ;;
        *) if [[ $joined ]]; then joined=''; else words+=("$word"); fi ;;
        esac
    done
    [[ ${COMP_WORDS[COMP_CWORD]} != '=' ]] || words+=('')
    local last=$((${#words[@]} - 1))
    for ((i = 0; i < last; i++)); do
        word=${words[i]}
        [[ $word != -- ]] || { _nsinit_command $((i + 1)) && return; }
        [[ $word == -* ]] || { _nsinit_command $i && return; }
        read -ra kinds <<<"${_nsinit_values[$word]-}"
        if ((i + ${#kinds[@]} >= last && ${#kinds[@]})); then
            _nsinit_value "${kinds[last - i - 1]}" "${words[last]}"
            return
        fi
        i=$((i + ${#kinds[@]}))
    done
    if [[ ${words[last]} == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${!_nsinit_values[*]}" -- "${words[last]}")
    else
        mapfile -t COMPREPLY < <(compgen -c -- "${words[last]}")
    fi
}

_nsinit_value() {
    case $1 in
    directory) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    variable) mapfile -t COMPREPLY < <(compgen -e -- "$2") ;;
    capability) mapfile -t COMPREPLY < <(compgen -W 'ALL CAP_AUDIT_CONTROL CAP_AUDIT_READ CAP_AUDIT_WRITE CAP_BLOCK_SUSPEND CAP_BPF CAP_CHECKPOINT_RESTORE CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_IPC_LOCK CAP_IPC_OWNER CAP_KILL CAP_LEASE CAP_LINUX_IMMUTABLE CAP_MAC_ADMIN CAP_MAC_OVERRIDE CAP_MKNOD CAP_NET_ADMIN CAP_NET_BIND_SERVICE CAP_NET_BROADCAST CAP_NET_RAW CAP_PERFMON CAP_SETFCAP CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYSLOG CAP_SYS_ADMIN CAP_SYS_BOOT CAP_SYS_CHROOT CAP_SYS_MODULE CAP_SYS_NICE CAP_SYS_PACCT CAP_SYS_PTRACE CAP_SYS_RAWIO CAP_SYS_RESOURCE CAP_SYS_TIME CAP_SYS_TTY_CONFIG CAP_WAKE_ALARM' -- "$2") ;;
    at_exit) mapfile -t COMPREPLY < <(compgen -W 'poweroff reboot halt shell respawn' -- "$2") ;;
    restart) mapfile -t COMPREPLY < <(compgen -W 'no on-failure always' -- "$2") ;;
    profile) mapfile -t COMPREPLY < <(compgen -W 'default none' -- "$2") ;;
    esac
}

# CMD and its arguments: the words from that one on.
_nsinit_command() {
    if (($1 == last)); then
        mapfile -t COMPREPLY < <(compgen -c -- "${words[last]}")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "${words[last]}")
    fi
}

complete -o filenames -F _nsinit nsinit
