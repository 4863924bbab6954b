//! The seed: random bytes of the last run of the machine, with which the kernel's random numbers are good from the start.
//!
//! A seed counts once. It is removed from the disk before the kernel gets it, so that a cut of the power cannot bring it back; new
//! bytes take its place at once, and others at the end.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstat, fsync, rename, unlink};

use crate::report::message::{warn, warning};
use crate::say;
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Done, Failure, SEED};
use crate::text::{Say, Text};

const SAVE: Say = say!("save the seed");

/// Gives the seed to the kernel, and puts new bytes in its place.
///
/// # Errors
/// ELOOP: it is a symbolic link. EINVAL: it is no regular file. EPERM: no CAP_SYS_ADMIN. Others: see open(2), read(2). It is none that
/// the file does not exist yet.
pub fn take(path: &CStr) -> Done {
    let taken = match files::open_path(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY) {
        Err(Failure::NOENT) => Ok(()),
        Err(why) => return Err(why),
        Ok(file) => {
            let taken = add(path, file);
            sys::close(file);
            taken
        }
    };
    match save(path) {
        // There is no other randomness yet: a seed is saved at the end.
        Ok(()) | Err(Failure::AGAIN) => {}
        Err(why) => warn(SAVE, path, why, Say::NOTHING),
    }
    taken
}

/// Saves a seed at the end.
pub fn keep(path: &CStr) {
    if let Err(why) = save(path) {
        warn(SAVE, path, why, Say::NOTHING);
    }
}

fn add(path: &CStr, file: Fd) -> Done {
    let mut seed = [0; SEED];
    let stat = fstat(file)?;
    if stat.st_mode & raw::S_IFMT != raw::S_IFREG {
        return Err(Failure::INVAL);
    }
    let length = files::read(file, &mut seed)?;
    let why = if stat.st_mode & 0o077 != 0 || stat.st_uid != 0 {
        say!(" is not credited: others than root may read or write it")
    } else if let Err(why) = remove(path) {
        warn(say!("remove"), path, why, Say::NOTHING);
        say!(" is not credited: the next start would find it again")
    } else {
        Say::NOTHING
    };
    if !why.is_empty() {
        warning(Text::new().say(say!("the seed ")).push_printable(path.to_bytes()).say(why));
    }
    let urandom = files::open_path(c"/dev/urandom", OFlags::WRONLY)?;
    let done = sys::add_seed(urandom, &seed, length, why.is_empty());
    sys::close(urandom);
    done
}

/// # Errors
/// EROFS: the file system is read-only. Others: see unlink(2).
fn remove(path: &CStr) -> Done {
    unlink(path)?;
    sync_directory(path)
}

/// # Errors
/// EAGAIN: the kernel has too little randomness yet. Others: see open(2), write(2), fsync(2), rename(2).
fn save(path: &CStr) -> Done {
    let bytes = sys::random_bytes()?;
    let mut new = Text::new();
    let new = new.push(path.to_bytes()).push(b".new").c_str();
    // One of an end that was interrupted.
    let _ = unlink(new);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
    let file = files::create(HERE, new, flags, 0o600)?;
    let written = files::write(file, &bytes).and_then(|length| {
        if length as usize != SEED {
            return Err(Failure::NOSPC);
        }
        Ok(fsync(file)?)
    });
    sys::close(file);
    let done = written.and_then(|()| {
        rename(new, path)?;
        sync_directory(path)
    });
    if done.is_err() {
        let _ = unlink(new);
    }
    done
}

/// Makes the names in the directory of a file last.
fn sync_directory(path: &CStr) -> Done {
    let (path, mut parent) = (path.to_bytes(), Text::new());
    let length = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let parent = parent.push(path.get(..length).filter(|parent| !parent.is_empty()).unwrap_or(b".")).c_str();
    let directory = files::open_path(parent, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let done = fsync(directory);
    sys::close(directory);
    Ok(done?)
}
