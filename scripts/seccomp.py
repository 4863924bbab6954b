"""The work of scripts/seccomp: from a policy in JSON to a program of BPF, by libseccomp."""

import ctypes
import errno
import json
import os
import platform
import sys

# The capabilities that CMD has in a container of nsinit (src/confine/caps.rs).
USUAL = """CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT SETFCAP"""

# seccomp(2), SECCOMP_RET_*.
ACTIONS = {
    "SCMP_ACT_KILL": 0x0000_0000,
    "SCMP_ACT_KILL_THREAD": 0x0000_0000,
    "SCMP_ACT_KILL_PROCESS": 0x8000_0000,
    "SCMP_ACT_TRAP": 0x0003_0000,
    "SCMP_ACT_ERRNO": 0x0005_0000,
    "SCMP_ACT_LOG": 0x7FFC_0000,
    "SCMP_ACT_ALLOW": 0x7FFF_0000,
}
ERRNO, LOG, ALLOW = (ACTIONS["SCMP_ACT_" + name] for name in ("ERRNO", "LOG", "ALLOW"))

# enum scmp_compare.
COMPARISONS = ["", "NE", "LT", "LE", "EQ", "GE", "GT", "MASKED_EQ"]

# The names of machines in the conditions of Docker's profile (those of Go), and in SCMP_ARCH_*.
MACHINES = {
    "x86_64": ("amd64", "X86_64"),
    "i686": ("386", "X86"),
    "aarch64": ("arm64", "AARCH64"),
    "armv7l": ("arm", "ARM"),
    "riscv64": ("riscv64", "RISCV64"),
}

NR_ERROR = -1
# enum scmp_filter_attr: the program is a tree, which is fast to load and to run.
OPTIMIZE = 8


class Argument(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = [("index", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def die(why):
    sys.exit("seccomp: " + why)


def check(result, what):
    if result < 0:
        die(f"{what}: {os.strerror(-result)}")


def load():
    """libseccomp, with the types that are no int."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError as why:
        die(str(why))
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_arch_resolve_name.restype = ctypes.c_uint32
    pointer, number = ctypes.c_void_p, ctypes.c_uint32
    for name, types in {
        "seccomp_init": [number],
        "seccomp_attr_set": [pointer, ctypes.c_int, number],
        "seccomp_arch_add": [pointer, number],
        "seccomp_arch_remove": [pointer, number],
        "seccomp_arch_resolve_name": [ctypes.c_char_p],
        "seccomp_syscall_resolve_name": [ctypes.c_char_p],
        "seccomp_rule_add_array": [pointer, number, ctypes.c_int, ctypes.c_uint, ctypes.POINTER(Argument)],
        "seccomp_export_bpf": [pointer, ctypes.c_int],
    }.items():
        getattr(library, name).argtypes = types
    return library


def known(where, allowed, what):
    """An object of the policy. A member that is not understood could be a condition, or a protection."""
    if not isinstance(where, dict):
        die(f"{what} is no object")
    for name in where:
        if name not in allowed:
            die(f"unknown member '{name}' of {what}")
    return where


def action(name, number, word):
    """An action with the errno that it answers with: a number, or its name; EPERM if there is neither."""
    if name not in ACTIONS:
        die(f"no support for the action {name}")
    if ACTIONS[name] != ERRNO:
        return ACTIONS[name]
    if number is None:
        number = getattr(errno, str(word or "EPERM"), None)
    if not isinstance(number, int) or not 0 <= number <= 4095:
        die(f"not an errno: {word if number is None else number}")
    return ERRNO | number


def version(text):
    try:
        return tuple(int(number) for number in text.split("-")[0].split(".")[:2])
    except ValueError:
        die(f"not a version of Linux: {text}")


def applies(rule, capabilities, machine):
    """Whether the conditions of a rule of Docker's hold."""
    names = ("caps", "arches", "minKernel")
    wanted = known(rule.get("includes") or {}, names, "includes")
    barred = known(rule.get("excludes") or {}, names, "excludes")
    newer = lambda conditions: version(platform.release()) >= version(conditions["minKernel"])
    if not all(name in capabilities for name in wanted.get("caps") or []):
        return False
    if wanted.get("arches") and machine not in wanted["arches"]:
        return False
    if wanted.get("minKernel") and not newer(wanted):
        return False
    if any(name in capabilities for name in barred.get("caps") or []):
        return False
    if machine in (barred.get("arches") or []):
        return False
    return not (barred.get("minKernel") and newer(barred))


def arguments(rule):
    """The conditions of a rule, as lists of which one must hold. libseccomp has each argument only once in a list."""
    found = []
    for one in rule.get("args") or []:
        known(one, ("index", "value", "valueTwo", "op"), "args")
        op = str(one.get("op", "")).removeprefix("SCMP_CMP_")
        if op not in COMPARISONS[1:]:
            die(f"unknown comparison {one.get('op')}")
        index, value, second = one.get("index"), one.get("value", 0), one.get("valueTwo", 0)
        if index not in range(6) or not all(isinstance(n, int) and 0 <= n < 1 << 64 for n in (value, second)):
            die(f"not an argument: {one}")
        found.append(Argument(index, COMPARISONS.index(op), value, second))
    if len({one.index for one in found}) < len(found):
        return [[one] for one in found]
    return [found]


def add_rules(library, context, policy, default, capabilities, machine):
    unknown = []
    for rule in policy.get("syscalls") or []:
        known(rule, ("names", "name", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes"), "syscalls")
        does = action(rule.get("action"), rule.get("errnoRet"), rule.get("errno"))
        if not applies(rule, capabilities, machine) or does == default:
            continue
        for name in rule.get("names") or [rule.get("name")]:
            if not isinstance(name, str):
                die(f"not the name of a system call: {name}")
            number = library.seccomp_syscall_resolve_name(name.encode())
            if number == NR_ERROR:
                unknown.append(name)
                continue
            for conditions in arguments(rule):
                list_of = (Argument * len(conditions))(*conditions)
                result = library.seccomp_rule_add_array(context, does, number, len(conditions), list_of)
                # A rule that is there already.
                if result != -errno.EEXIST:
                    check(result, name)
    if unknown and default in (ALLOW, LOG):
        die(f"this libseccomp does not know {' '.join(unknown)}, which would be allowed")
    if unknown:
        print(f"seccomp: left out, since this libseccomp does not know them: {' '.join(unknown)}", file=sys.stderr)


def machines(policy, own):
    """The names of the machines that the policy is for."""
    if policy.get("architectures"):
        return policy["architectures"]
    for entry in policy.get("archMap") or []:
        if entry.get("architecture") == "SCMP_ARCH_" + own:
            return [entry["architecture"], *(entry.get("subArchitectures") or [])]
    return ["SCMP_ARCH_" + own]


def main(path, *more):
    try:
        with open(path, encoding="utf-8") as file:
            policy = json.load(file)
    except (OSError, ValueError) as why:
        die(f"{path}: {why}")
    if isinstance(policy, dict) and isinstance(policy.get("linux"), dict):
        policy = policy["linux"].get("seccomp") or die(f"{path}: there is no seccomp in it")
    members = ("defaultAction", "defaultErrnoRet", "defaultErrno", "architectures", "archMap", "flags", "syscalls")
    known(policy, members, "the policy")
    if policy.get("flags"):
        die("no support for flags")
    capabilities = {"CAP_" + name.upper().removeprefix("CAP_") for name in [*USUAL.split(), *more]}
    machine, own = MACHINES.get(platform.machine()) or die(f"unknown machine {platform.machine()}")
    library = load()
    default = action(policy.get("defaultAction"), policy.get("defaultErrnoRet"), policy.get("defaultErrno"))
    context = library.seccomp_init(default) or die("cannot make a filter")
    library.seccomp_attr_set(context, OPTIMIZE, 2)
    names = machines(policy, own)
    for name in names:
        number = library.seccomp_arch_resolve_name(str(name).lower().removeprefix("scmp_arch_").encode())
        if number == 0:
            die(f"unknown machine {name}")
        result = library.seccomp_arch_add(context, number)
        if result != -errno.EEXIST:
            check(result, name)
    if "SCMP_ARCH_" + own not in names:
        check(library.seccomp_arch_remove(context, library.seccomp_arch_resolve_name(own.lower().encode())), own)
    add_rules(library, context, policy, default, capabilities, machine)
    check(library.seccomp_export_bpf(context, sys.stdout.fileno()), "write the program")


main(*sys.argv[1:])
