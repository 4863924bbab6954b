# shellcheck shell=bash disable=SC2034
# What the scripts share. To be sourced from the top of the tree.

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

have() { command -v "$1" >/dev/null; }

# Runs a command and shows what it said only if it fails.
quietly() {
    local said
    said=$("$@" 2>&1 </dev/null) || {
        printf '%s\n' "$said" >&2
        return 1
    }
}

# Sees to it that these Debian packages are there; says what to do where it can't.
packages() {
    local name missing=()
    have dpkg-query || return 1
    for name; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
    done
    ((${#missing[@]})) || return 0
    if ((EUID)); then
        printf '%s: missing; as root: apt-get install %s\n' "${0##*/}" "${missing[*]}" >&2
        return 1
    fi
    # A list that is not fresh names packages that are gone, and older ones than there are.
    apt-get -qq update >/dev/null 2>&1 </dev/null || :
    quietly env DEBIAN_FRONTEND=noninteractive apt-get -y -qq --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 install "${missing[@]}"
}

# The static musl target of a machine as `uname -m` names it.
musl_target() {
    case $1 in
    x86_64 | aarch64) echo "$1-unknown-linux-musl" ;;
    armv7*) echo armv7-unknown-linux-musleabihf ;;
    i?86) echo i686-unknown-linux-musl ;;
    riscv64*) echo riscv64gc-unknown-linux-musl ;;
    *) die "no musl target is known for $1" ;;
    esac
}

# Puts a Rust that can rebuild std first, installing what it lacks, and sets `rust` to whose it is and `sysroot` to
# where it is: rustup's current toolchain, its nightly, or Debian's packages. Where there is none, `why` says so.
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
    packages rustc-web cargo-web rust-web-src ca-certificates && rebuilds_std && return
    PATH=$before
    why='no Rust here can rebuild std; that takes 1.92 or later and its sources'
    return 1
}

from_rustup() {
    rustc --version >/dev/null 2>&1 || return
    rebuilds_std || { rustup -q component add rust-src >/dev/null 2>&1 && rebuilds_std; }
}

# Can the rustc and cargo that are found first rebuild std?
rebuilds_std() {
    have cargo && sysroot=$(rustc --print sysroot 2>/dev/null) &&
        [[ -f $sysroot/lib/rustlib/src/rust/library/Cargo.lock ]] &&
        RUSTC_BOOTSTRAP=1 rustc -Zunstable-options -Cpanic=immediate-abort --print cfg >/dev/null 2>&1
}

# Sets `linker`: the toolchain's own lld, or the system's.
find_linker() {
    linker=$sysroot/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin/rust-lld
    [[ -x $linker ]] || linker=ld.lld
    have "$linker" || packages lld || { why='there is no lld' && return 1; }
}
