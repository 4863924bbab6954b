//! What a step works on, as messages and `--explain` name it.

use core::ffi::CStr;

use super::{Spec, rooms};

/// The object of a step. A row of a table has room for a byte: a function for each row would make every row a third larger.
#[derive(Clone, Copy)]
pub enum Object {
    /// The verb says it all.
    None,
    BlockFd,
    /// The file of --clock-epoch.
    #[cfg(feature = "hardware")]
    Clock,
    /// The cgroup that the container's is made in.
    Cgroup,
    Command,
    Console,
    /// The working directory of the command.
    Directory,
    ExecLabel,
    FileLabel,
    Hostname,
    InfoFd,
    KeepFd,
    /// The loopback interface.
    Loopback,
    /// The file of --log.
    #[cfg(feature = "keeper")]
    Log,
    /// The first of the files that are locked.
    LockFile,
    MapsFd,
    Mounts,
    #[cfg(feature = "keeper")]
    NotifySocket,
    Nsinit,
    #[cfg(all(feature = "root-device", feature = "overlay"))]
    OverlayDevice,
    OverlayRoot,
    /// pasta(1).
    Pasta,
    PidFd,
    PidFile,
    Proc,
    /// The directory or the image that becomes the root.
    Root,
    /// The file of --seed.
    #[cfg(feature = "hardware")]
    Seed,
    StatusFd,
    SwitchRoot,
    /// The process whose container is entered.
    Target,
    Title,
    UserFd,
    User2Fd,
}

impl Object {
    /// Its name: the user's own word, where there is one.
    #[must_use]
    pub fn name<'a>(self, spec: &Spec<'a>) -> &'a CStr {
        if !self.is_built() {
            return c"";
        }
        match self {
            Object::None => return c"",
            Object::BlockFd => return c"--block-fd",
            Object::Cgroup => return spec.cgroup.parent.unwrap_or(c"nsinit's own"),
            #[cfg(feature = "hardware")]
            Object::Clock => spec.hardware.clock_file(),
            Object::Command => return spec.exec.command,
            Object::Console => return c"/dev/console",
            Object::Directory => spec.exec.directory,
            Object::ExecLabel => spec.confine.exec_label,
            Object::FileLabel => spec.confine.file_label,
            Object::Hostname => spec.namespaces.hostname,
            Object::InfoFd => return c"--info-fd",
            Object::KeepFd => return c"--keep-fd",
            Object::Loopback => return c"lo",
            #[cfg(feature = "keeper")]
            Object::Log => spec.keeper.log,
            Object::LockFile => spec.life.locks.first().copied(),
            Object::MapsFd => return c"--userns-block-fd",
            Object::Mounts => return c"mounts",
            #[cfg(feature = "keeper")]
            Object::NotifySocket => spec.keeper.notify,
            Object::Nsinit => return c"nsinit",
            #[cfg(all(feature = "root-device", feature = "overlay"))]
            Object::OverlayDevice => return spec.machine.overlay_device,
            Object::OverlayRoot => return c"--overlay-root",
            Object::Pasta => return c"pasta",
            Object::PidFd => return c"--pidns",
            Object::PidFile => spec.channels.pid_file,
            Object::Proc => return c"/proc",
            Object::Root if spec.root.directory.is_empty() => return c"(made by the options)",
            Object::Root => return spec.root.directory,
            #[cfg(feature = "hardware")]
            Object::Seed => spec.hardware.seed_file(),
            Object::StatusFd if spec.channels.tells_signal => return c"--status-fd",
            Object::StatusFd => return c"--json-status-fd",
            Object::SwitchRoot => spec.machine.switch_root,
            Object::Target => spec.target,
            Object::Title => spec.life.title,
            Object::UserFd => return c"--userns",
            Object::User2Fd => return c"--userns2",
        }
        .unwrap_or_default()
    }

    /// Whether its room is part of this build.
    const fn is_built(self) -> bool {
        match self {
            Object::Command | Object::Directory | Object::PidFile => true,
            Object::BlockFd | Object::InfoFd | Object::MapsFd | Object::StatusFd => rooms::STATUS,
            Object::PidFd | Object::UserFd | Object::User2Fd => rooms::JOIN,
            Object::OverlayRoot => rooms::OVERLAY,
            // Only containers and machines have the others.
            _ => rooms::CONTAINER || rooms::BOOT,
        }
    }
}
