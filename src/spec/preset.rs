//! The container preset: the meaning of `--root` before any other option changes it.

use linux_raw_sys::general as raw;

use super::life::GRACE;
use super::{
    AtEnd, Audience, Capabilities, Cgroup, Channels, Confine, End, Exec, Hardware, Ids, Joins, Keeper, KernelRoot,
    Landlock, Life, Machine, Masks, Mode, Namespaces, Net, NoMoreUsers, Parsed, Root, Spec, Terminal, Writes,
};
use crate::sys::{Argv, Env};

impl Spec<'_> {
    /// The container preset.
    pub const PRESET: Spec<'static> = Spec {
        mode: Mode::Sandbox,
        ids: Ids {
            rootless: false,
            own_only: false,
            other_uid: false,
            other_gid: false,
            chosen: false,
            idmap: false,
            uid: 0,
            gid: 0,
            groups: None,
            users: &[],
            members: &[],
        },
        terminal: Terminal { pty: false, share: false, withheld: false, session_if_any: false },
        parsed: Parsed { in_place: false, making: None },
        namespaces: Namespaces {
            new: raw::CLONE_NEWNS
                | raw::CLONE_NEWPID
                | raw::CLONE_NEWIPC
                | raw::CLONE_NEWUTS
                | raw::CLONE_NEWNET
                | raw::CLONE_NEWCGROUP
                | raw::CLONE_NEWUSER,
            optional: 0,
            users: NoMoreUsers::Unasked,
            allow_nesting: false,
            joins: Joins { named: &[], user: None, then_user: None, pid: None },
            hostname: None,
            sysctls: &[],
        },
        root: Root {
            directory: c"",
            image: false,
            writes: Writes::Kept,
            upper: c"",
            work: c"",
            masks: Masks::All,
            proc: true,
            processes_only: false,
            sys: true,
            lenient: false,
            ops: &[],
        },
        life: Life {
            process_1: false,
            as_pid_1: false,
            new_session: false,
            own_group: true,
            die_together: false,
            subreaper: true,
            die_with_parent: None,
            audience: Audience::Command,
            stop_with_command: false,
            propagate: false,
            verbose: 0,
            tell_reaped: false,
            end: End::Grace(GRACE),
            stop_timeout: None,
            rewrite: &[],
            remap: &[],
            locks: &[],
            title: None,
            title_inside: c"",
        },
        channels: Channels {
            info: None,
            status: None,
            block: None,
            maps: None,
            sync: None,
            ready: None,
            tells_signal: false,
            pid_file: None,
            detach: false,
        },
        machine: Machine {
            boots: false,
            is_whole: false,
            at_end: AtEnd::Unsaid,
            most: None,
            on_failure: None,
            switch_root: None,
            wait_device: None,
            overlay_device: c"",
            root: KernelRoot::NONE,
            is_service: false,
            after: &[],
            services: &[],
            consoles: &[],
        },
        confine: Confine {
            capabilities: Capabilities { bounding: Capabilities::USUAL, held: Capabilities::USUAL, ambient: 0 },
            no_new_privs: true,
            asks_no_new_privs: false,
            securebits: None,
            landlock: Landlock { rules: &[], mentioned: 0, lenient: false },
            limits: &[],
            keep_keyring: false,
            filtered: false,
            filters: &[],
            exec_label: None,
            file_label: None,
        },
        exec: Exec {
            env: Env::NONE,
            path: c"",
            command: c"",
            argv: Argv::NONE,
            fallback: Argv::NONE,
            directory: Some(c"/"),
            home: None,
            umask: None,
            keep_fds: &[],
            keep_all_fds: false,
        },
        cgroup: Cgroup { parent: None, settings: &[], stats: false, delegated: false, old: &[] },
        net: Net { links: &[], pasta: None },
        hardware: Hardware::NONE,
        keeper: Keeper::NONE,
        target: None,
    };
}
