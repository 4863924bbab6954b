# shellcheck shell=bash disable=SC2034
# Functions that the scripts share. Source this file from the top of the tree.

# `--help` prints the comment at the head of the script.
case ${1-} in
-h | --help)
    sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "${BASH_SOURCE[0]%/*}/${0##*/}"
    exit
    ;;
esac

note() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    note "$@"
    exit 1
}

have() { command -v "$1" >/dev/null; }

# For a script without arguments.
no_arguments() { (($# == 0)) || die "unexpected argument: $1 (see --help)"; }

# Runs a command, and prints its output only if it fails. Sets `warning` to the last error or warning of apt-get.
quietly() {
    local log status=0
    log=$(mktemp)
    log_to "$log" "$@" || status=$?
    warning=$(sed -nE 's/^[EW]: //p' "$log" | tail -n 1)
    ((status == 0)) || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# Runs a command with its output in a file. On a terminal the last line shows while it runs.
log_to() {
    local log=$1 ticker='' status=0
    shift
    if [[ -t 2 ]]; then
        tick "$log" >/dev/null &
        ticker=$!
    fi
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [[ $ticker ]]; then
        kill "$ticker" 2>/dev/null || :
        wait "$ticker" 2>/dev/null || :
        printf '\r\e[K' >&2
    fi
    return "$status"
}

# Prints the time and the last line of the log, once a second. Ends when the script ends, even if it is killed.
tick() {
    local width start=$SECONDS
    width=$(tput cols 2>/dev/null) || width=80
    while sleep 1 && kill -0 $$ 2>/dev/null; do
        printf '\r\e[K%.*s' $((width - 1)) "$((SECONDS - start)) s  $(tail -n 1 "$1" | tr -d '\r')" >&2
    done
}

# ---- Debian's packages

# Installs these Debian packages as root; as an ordinary user prints the command for it. A package that cannot be installed
# costs only itself: the others are installed.
packages() {
    local name missing can=() cannot=0
    mapfile -t missing < <(not_installed "$@")
    ((${#missing[@]})) || return 0
    if ! have apt-get; then
        note "missing, by the names of Debian's packages: ${missing[*]}"
        return 1
    elif ((EUID)); then
        note "missing; as root: apt-get install ${missing[*]}"
        return 1
    fi
    # Old lists name packages that the mirror no longer has.
    refresh
    apt_install "${missing[@]}" && return
    # One package that cannot be installed keeps the others from being installed: install them one by one. Backports may have the
    # version that fits the installed packages.
    for name in "${missing[@]}"; do
        if apt_plan "$name"; then can+=("$name"); else cannot=1; fi
    done
    if ((${#can[@]} && cannot)); then apt_install "${can[@]}" || :; fi
    mapfile -t missing < <(not_installed "${missing[@]}")
    for name in "${missing[@]}"; do
        apt_install "$name" || from_backports "$name" || note "cannot install $name: $reason"
    done
    mapfile -t missing < <(not_installed "$@")
    ((${#missing[@]} == 0))
}

not_installed() {
    local name
    for name; do
        dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || printf '%s\n' "$name"
    done
}

sources=() origin='' stale=''

# Updates the package lists. Sets `stale` to the reason if that failed.
refresh() {
    quietly env LC_ALL=C apt-get -q "${sources[@]}" -o DPkg::Lock::Timeout=300 update 2>/dev/null || :
    stale=$warning
}

# Announces and installs packages, all or none. Sets `reason` if that failed.
apt_install() {
    apt_plan "$@" || return
    note "installing $*$origin ($new packages, $size to download)"
    quietly env LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -y -q "${sources[@]}" --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 install "$@" || {
        reason='apt-get failed; what it printed is above'
        return 1
    }
}

# Simulates the installation of packages: sets `new` (their number) and `size` (to download), or `reason` if it would fail.
apt_plan() {
    local out
    out=$(LC_ALL=C apt-get -q "${sources[@]}" --no-install-recommends --no-remove --assume-no -o Debug::NoLocking=1 \
        install "$@" 2>&1 </dev/null) || :
    size=$(sed -nE 's/^Need to get (.*) of archives\.$/\1/p' <<<"$out")
    new=$(sed -nE 's/.* ([0-9]+) newly installed, .*/\1/p' <<<"$out")
    reason=$(sed -nE '/will be REMOVED:/{n;s/^ */installing it would remove /p;q}' <<<"$out")
    [[ $reason ]] || reason=$(sed -n 's/^E: //p' <<<"$out" | tail -n 1)${stale:+ (apt-get update: $stale)}
    [[ $size ]]
}

# Installs packages from backports. If a package (such as qemu-utils) was installed from there, its related packages can only be
# installed from there too.
from_backports() {
    local release sources origin list was="$reason" status=0
    # shellcheck disable=SC1091
    release=$(. /etc/os-release && [[ $ID == debian ]] && echo "${VERSION_CODENAME-}") && [[ $release ]] || return
    list=$(mktemp)
    chmod 644 "$list"
    { cat /etc/apt/sources.list 2>/dev/null || :; } >"$list"
    echo "deb $(trusted) $(mirror debian) $release-backports main" >>"$list"
    sources=(-o "Dir::Etc::SourceList=$list" -t "$release-backports") origin=" from $release-backports, because $reason"
    refresh
    apt_install "$@" || status=1 reason=$was
    rm -f "$list"
    return $status
}

# Prints the mirror of the archive `debian` or `debian-security` that this machine's apt uses; otherwise Debian's own.
mirror() {
    local mirror
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 2>/dev/null | grep -E "/$1/?\$" | head -n 1) || :
    echo "${mirror:-http://deb.debian.org/$1}"
}

# Prints the option of a list of sources for the keys of all of Debian's releases.
trusted() { echo "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"; }

# ---- sizes

# Prints the budget of a file that scripts/build has made; 0 if it has none. The budgets are those of scripts/budgets.
budget_of() {
    local name
    case $1 in
    target/nsinit-custom*) echo 0 ;;
    target/nsinit-core | target/nsinit-init)
        [[ $(uname -m) == x86_64 ]] || { echo 0 && return; }
        name=${1##*-}
        echo "${!name}"
        ;;
    target/nsinit-core-* | target/nsinit-init-*) echo 0 ;;
    *)
        name=other
        [[ $1 != *-x86_64-* && ($1 != target/nsinit || $(uname -m) != x86_64) ]] || name=x86_64
        echo "${!name}"
        ;;
    esac
}

# ---- Rust

# Prints the static musl target of a machine; $1 is its name as from `uname -m`.
musl_target() {
    case $1 in
    x86_64 | aarch64) echo "$1-unknown-linux-musl" ;;
    armv7*) echo armv7-unknown-linux-musleabihf ;;
    i?86) echo i686-unknown-linux-musl ;;
    riscv64*) echo riscv64gc-unknown-linux-musl ;;
    *) die "no musl target is known for $1" ;;
    esac
}

# Prints the packages that are missing for a build, for this machine (`native`) or for an `other`. A script calls it first, so that
# it can install or print them together with the packages that it needs itself.
build_packages() (
    names=()
    find_rust || names+=(rustc-web cargo-web rust-web-src ca-certificates)
    # rustup has a musl of its own, and another machine's is only unpacked.
    [[ $rust != Debian || $1 == other ]] || names+=(musl-dev)
    find_linker || names+=(lld)
    have cc || names+=(gcc libc6-dev)
    not_installed "${names[@]}"
)

# Finds a Rust that can rebuild std: rustup's current toolchain, rustup's nightly, or Debian's packages. Puts it first in PATH, and
# sets `rust` to its source and `sysroot` to its directory. If there is none, sets `why`.
find_rust() {
    local before=$PATH toolchain=${RUSTUP_TOOLCHAIN-}
    if have rustup; then
        rust=rustup
        from_rustup && return
        rust=nightly
        RUSTUP_TOOLCHAIN=nightly
        export RUSTUP_TOOLCHAIN
        from_rustup && return
        if [[ $toolchain ]]; then RUSTUP_TOOLCHAIN=$toolchain; else unset RUSTUP_TOOLCHAIN; fi
    fi
    rust=Debian PATH=/usr/bin:$PATH
    rebuilds_std && return
    PATH=$before
    why='no Rust here can rebuild std; that takes 1.92 or later and its sources'
    return 1
}

from_rustup() {
    rustc --version >/dev/null 2>&1 || return
    rebuilds_std || { rustup -q component add rust-src >/dev/null 2>&1 && rebuilds_std; }
}

# Checks whether the first rustc and cargo in PATH can rebuild std.
rebuilds_std() {
    have cargo && sysroot=$(rustc --print sysroot 2>/dev/null) &&
        [[ -f $sysroot/lib/rustlib/src/rust/library/Cargo.lock ]] &&
        RUSTC_BOOTSTRAP=1 rustc -Zunstable-options -Cpanic=immediate-abort --print cfg >/dev/null 2>&1
}

# Sets `linker`: the toolchain's own lld, or the system's.
find_linker() {
    linker=${sysroot-}/lib/rustlib/$(rustc -vV 2>/dev/null | sed -n 's/^host: //p')/bin/rust-lld
    [[ -x $linker ]] || linker=ld.lld
    have "$linker" || { why='there is no lld' && return 1; }
}
