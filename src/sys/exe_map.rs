//! The program's own memory.

use core::ffi::{CStr, c_void};
use core::sync::atomic::{AtomicBool, Ordering};

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::prctl_mm_map;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous};

use super::argv::Word;
use super::call::done;
use super::start::{Auxiliary, Start};
use super::{Done, Failure};

/// `Elf64_Phdr`, elf(5).
#[cfg(target_pointer_width = "64")]
#[repr(C)]
struct Header {
    kind: u32,
    flags: u32,
    offset: usize,
    address: usize,
    physical: usize,
    in_file: usize,
    in_memory: usize,
    align: usize,
}

/// `Elf32_Phdr`, elf(5).
#[cfg(target_pointer_width = "32")]
#[repr(C)]
struct Header {
    kind: u32,
    offset: usize,
    address: usize,
    physical: usize,
    in_file: usize,
    in_memory: usize,
    flags: u32,
    align: usize,
}

const PT_LOAD: u32 = 1;
const PT_PHDR: u32 = 6;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
/// Where pages are larger, the kernel says so to the first mremap(2).
const PAGE: usize = 4096;

/// Puts copies in memory in the place of all that is mapped from the program's file, and makes /proc/PID/exe lead to
/// `exe` instead: prctl(2), PR_SET_MM_MAP, which tells again where everything else lies.
///
/// # Errors
/// Those of mmap(2), mprotect(2), mremap(2) and prctl(2): EACCES where a security module forbids writable memory to
/// become executable, EINVAL without CONFIG_CHECKPOINT_RESTORE, EPERM without CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN.
/// Some of the program may be a copy then, which changes nothing.
pub fn leave_file(start: &Start, exe: BorrowedFd<'_>) -> Done {
    let mut map = describe(start, replace)?;
    map.exe_fd = exe.as_raw_fd().cast_unsigned();
    set_map(&map)
}

/// Makes /proc/PID/cmdline tell `title`, which has to lie in memory that no file is mapped in: on the heap. (The kernel shows no
/// other, FOLL_ANON, since the fix of CVE-2018-1120.)
///
/// # Errors
/// EINVAL without CONFIG_CHECKPOINT_RESTORE.
pub fn set_title(start: &Start, title: &'static CStr) -> Done {
    show(start, title, false)
}

/// The same; if it `hides`, /proc/PID/environ tells nothing.
fn show(start: &Start, title: &'static CStr, hides: bool) -> Done {
    let mut map = describe(start, |_, _, _| Ok(()))?;
    map.exe_fd = u32::MAX;
    map.arg_start = title.as_ptr().addr() as u64;
    map.arg_end = map.arg_start + title.to_bytes_with_nul().len() as u64;
    if hides {
        (map.env_start, map.env_end) = (map.arg_end, map.arg_end);
    }
    set_map(&map)
}

/// Makes both tell what they did at the start.
///
/// # Errors
/// See [`set_title`].
pub fn reset_title(start: &Start) -> Done {
    let mut map = describe(start, |_, _, _| Ok(()))?;
    map.exe_fd = u32::MAX;
    set_map(&map)
}

/// [`set_title`], and /proc/PID/environ tells nothing; where the kernel has no such call, by writing over the arguments and the environment, which
/// [`prepare_to_hide`] has copied.
///
/// # Errors
/// EINVAL: it has not.
pub fn hide(start: &Start, title: &'static CStr) -> Done {
    let (first, size) = start.strings();
    if show(start, title, true).is_ok() {
        return Ok(());
    }
    if start.words().any(|word| word.get().address().wrapping_sub(first.addr()) < size) {
        return Err(Failure::INVAL);
    }
    let title = title.to_bytes();
    // SAFETY: the strings lie there on the initial stack, which is writable, ours alone and never unmapped; no word leads
    // there any more, and none that did was kept (`prepare_to_hide`).
    unsafe {
        core::ptr::write_bytes(first, 0, size);
        core::ptr::copy_nonoverlapping(title.as_ptr(), first, title.len().min(size.saturating_sub(1)));
    }
    Ok(())
}

/// Where [`set_title`] will not do: copies the arguments and the environment, and makes the words lead to the copies. To be
/// called before a pointer into them is kept.
///
/// # Errors
/// ENOMEM.
pub fn prepare_to_hide(start: &Start) -> Done {
    let (first, size) = start.strings();
    if size == 0 || reset_title(start).is_ok() {
        return Ok(());
    }
    // SAFETY: a new private mapping takes nothing that is in use (mmap(2)); the strings are `size` bytes of our own stack.
    let copy = unsafe {
        let writable = ProtFlags::READ | ProtFlags::WRITE;
        let copy = mmap_anonymous(core::ptr::null_mut(), size, writable, MapFlags::PRIVATE)?.cast::<u8>();
        core::ptr::copy_nonoverlapping(first.cast_const(), copy, size);
        copy
    };
    for word in start.words() {
        let offset = word.get().address().wrapping_sub(first.addr());
        if offset < size {
            // SAFETY: the copy has the same bytes at the same distance, NUL and all, and is never unmapped.
            word.set(unsafe { Word::copied(copy.wrapping_add(offset).cast()) });
        }
    }
    Ok(())
}

/// Gives back what the start took: the stack below us, and the pages of code, which the kernel reads from the file again on demand.
/// Where the kernel refuses, it stays.
#[inline(never)]
pub fn give_back(start: &Start) {
    let Ok(map) = describe(start, |_, _, _| Ok(())) else { return };
    let code = (map.start_code as usize & !(PAGE - 1)) as *mut c_void;
    let size = (map.end_code as usize).wrapping_sub(code.addr());
    let here = 0u8;
    let stack = ((&raw const here).addr() & !(PAGE - 1)).wrapping_sub(PAGE + STACK) as *mut c_void;
    // SAFETY: nothing is kept below the stack pointer, and it and all that madvise(2) takes lies above a page below it. The
    // kernel lets no other mapping come that near to the stack (stack_guard_gap, mmap(2)). The code is the file's, which has
    // the same bytes: it is not writable, and no copy has taken its place.
    unsafe {
        let _ = madvise(stack, STACK, Advice::LinuxDontNeed);
        if !COPIED.load(Ordering::Relaxed) {
            for at in (0..size).step_by(2 * CHUNK) {
                let _ = madvise(code.wrapping_byte_add(at), CHUNK, Advice::LinuxDontDump);
            }
            let _ = madvise(code, size, Advice::LinuxDontNeed);
        }
    }
}

/// What execve(2) maps below the arguments.
const STACK: usize = 128 * 1024;

/// A page that is missing brings its neighbours, 16 of them, but none from beyond its part of the mapping.
const CHUNK: usize = 4 * PAGE;

/// Whether some of the program is a copy, which no file has.
static COPIED: AtomicBool = AtomicBool::new(false);

/// Where everything lies, for PR_SET_MM_MAP; each part of the program is handed to `each`.
fn describe(start: &Start, each: fn(*mut c_void, usize, u32) -> Done) -> Result<prctl_mm_map, Failure> {
    let Auxiliary { headers: place, count, name, .. } = start.auxiliary;
    // SAFETY: AT_PHDR and AT_PHNUM describe the program's headers, which are mapped with it and not written.
    let headers = unsafe { core::slice::from_raw_parts(place as *const Header, count) };
    // Before all that is loaded (elf(5)).
    let own = headers.first().filter(|header| header.kind == PT_PHDR).ok_or(Failure::NOEXEC)?;
    let base = place.wrapping_sub(own.address);
    // SAFETY: a struct of integers and a pointer, which may all be zero.
    let mut map: prctl_mm_map = unsafe { core::mem::zeroed() };
    map.start_stack = start.args.as_ptr().addr() as u64;
    // The strings lie behind one another: the arguments, the environment, the program's name.
    let environment = start.env.address();
    map.arg_start = start.args.first().map_or(0, |word| word.get().address()) as u64;
    map.arg_end = if environment == 0 { name } else { environment } as u64;
    map.env_start = map.arg_end;
    map.env_end = name as u64;
    for header in headers.iter().filter(|header| header.kind == PT_LOAD) {
        let first = base.wrapping_add(header.address);
        let last = first.wrapping_add(header.in_file);
        let page = first & !(PAGE - 1);
        each(page as *mut c_void, last.next_multiple_of(PAGE).wrapping_sub(page), header.flags)?;
        let (first, last) = (first as u64, last as u64);
        if header.flags & PF_X != 0 {
            (map.start_code, map.end_code) = (first, last);
        } else {
            (map.start_data, map.end_data, map.start_brk, map.brk) = (first, last, last, last);
        }
    }
    Ok(map)
}

fn replace(place: *mut c_void, size: usize, flags: u32) -> Done {
    COPIED.store(true, Ordering::Relaxed);
    let protection = raw::PROT_READ
        | if flags & PF_W != 0 { raw::PROT_WRITE } else { 0 }
        | if flags & PF_X != 0 { raw::PROT_EXEC } else { 0 };
    // SAFETY: the copy is a new mapping of that size. Then the kernel puts it in the place of the original in one step:
    // the same bytes, for nothing writes to the program's data in between, and there is no thread but us.
    unsafe {
        let writable = ProtFlags::READ | ProtFlags::WRITE;
        let copy = mmap_anonymous(core::ptr::null_mut(), size, writable, MapFlags::PRIVATE)?;
        core::ptr::copy_nonoverlapping(place.cast_const().cast::<u8>(), copy.cast(), size);
        protect(copy, size, protection)?;
        move_onto(copy, size, place)
    }
}

/// mprotect(2).
///
/// # Safety
/// Nobody relies on what is allowed now.
pub(super) unsafe fn protect(place: *mut c_void, size: usize, protection: u32) -> Done {
    done(call!(__NR_mprotect, place, size, protection))
}

/// mremap(2) of `from` to where `to` is.
///
/// # Safety
/// What lies at `to` may go.
pub(super) unsafe fn move_onto(from: *mut c_void, size: usize, to: *mut c_void) -> Done {
    done(call!(__NR_mremap, from, size, size, raw::MREMAP_MAYMOVE | raw::MREMAP_FIXED, to))
}

/// prctl(PR_SET_MM, PR_SET_MM_MAP).
///
/// # Errors
/// As `super::leave_file` has them.
pub(super) fn set_map(map: &linux_raw_sys::prctl::prctl_mm_map) -> Done {
    use linux_raw_sys::prctl::{PR_SET_MM, PR_SET_MM_MAP, prctl_mm_map};
    done(call!(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, core::ptr::from_ref(map), size_of::<prctl_mm_map>(), 0usize))
}
