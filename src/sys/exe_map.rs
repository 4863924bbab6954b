//! The program's own memory: the mappings of its file, and its addresses that /proc/PID shows.

use core::ffi::{CStr, c_char, c_void};
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use linux_raw_sys::general as raw;
use linux_raw_sys::prctl::prctl_mm_map;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::mm::{Advice, madvise};

use super::argv::Word;
use super::call::done;
use super::map::{map, map_file, map_filled};
use super::shared_vm::is_alone;
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
/// Bytes of a page. Where pages are larger, mremap(2) answers EINVAL before anything has changed.
const PAGE: usize = 4096;

/// Replaces each mapping of the program's file, and makes /proc/PID/exe lead to `exe`: prctl(2), PR_SET_MM_MAP. The call sets
/// all other addresses of the program's memory too; they keep their values, but with `title` /proc/PID/cmdline and
/// /proc/PID/environ show what [`hide`] makes them show. What is not writable becomes a mapping of `same`, which
/// is the same file, opened through another mount: the kernel compares mounts too (replace_mm_exe_file). All the rest, or all
/// if `same` is `None`, becomes a copy in memory.
///
/// # Errors
/// EACCES: a security module forbids writable memory to become executable. EINVAL: the kernel has no CONFIG_CHECKPOINT_RESTORE.
/// EPERM: neither CAP_CHECKPOINT_RESTORE nor CAP_SYS_ADMIN in our user namespace. EBUSY: another process shares our memory, or
/// `same` was opened through the mount that the program was executed from.
/// ENOMEM: no memory. Some mappings may be replaced then; nothing else has changed.
pub fn leave_file(
    start: &Start,
    exe: BorrowedFd<'_>,
    same: Option<BorrowedFd<'_>>,
    title: Option<&'static CStr>,
) -> Done {
    if !is_alone() {
        return Err(Failure::BUSY);
    }
    let mut map = describe(start, &|place, size, header| replace(place, size, header, same))?;
    map.exe_fd = exe.as_raw_fd().cast_unsigned();
    if let Some(title) = title {
        name(&mut map, title, true);
    }
    set_map(&map)
}

/// Whether the kernel has the calls of [`leave_file`], and no filter forbids them. Changes nothing.
#[must_use]
pub fn can_leave_file(start: &Start) -> bool {
    let page = (start.auxiliary.headers & !(PAGE - 1)) as *mut c_void;
    // SAFETY: without flags, and with the size that it has, mremap(2) leaves the first page of the program where it is.
    reset_title(start).is_ok() && unsafe { call!(__NR_mremap, page, PAGE, PAGE, 0usize, 0usize) }.is_ok()
}

/// The path that the program was executed by, AT_EXECFN in getauxval(3).
#[must_use]
pub fn executed_path(start: &Start) -> Option<&'static CStr> {
    let name = start.auxiliary.name as *const c_char;
    // SAFETY: AT_EXECFN is the address of a string that the kernel put on the initial stack, which is never unmapped; only the strings
    // before it are ever overwritten (`hide`).
    (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
}

/// Makes /proc/PID/cmdline show `title`, which must be in memory that is no mapping of a file: on the heap. (Since the fix of
/// CVE-2018-1120 the kernel shows no other memory, FOLL_ANON.)
///
/// # Errors
/// EINVAL: the kernel has no CONFIG_CHECKPOINT_RESTORE. Others: the errno of a seccomp filter of the caller's.
pub fn set_title(start: &Start, title: &'static CStr) -> Done {
    show(start, title, false)
}

/// [`set_title`]; and if it `hides`, /proc/PID/environ is empty.
fn show(start: &Start, title: &'static CStr, hides: bool) -> Done {
    let mut map = describe(start, &|_, _, _| Ok(()))?;
    map.exe_fd = u32::MAX;
    name(&mut map, title, hides);
    set_map(&map)
}

/// The arguments that /proc shows are `title`; and if it `hides`, there is no environment.
fn name(map: &mut prctl_mm_map, title: &'static CStr, hides: bool) {
    map.arg_start = title.as_ptr().addr() as u64;
    map.arg_end = map.arg_start + title.to_bytes_with_nul().len() as u64;
    if hides {
        (map.env_start, map.env_end) = (map.arg_end, map.arg_end);
    }
}

/// Makes /proc/PID/cmdline and /proc/PID/environ show what they showed at the start.
///
/// # Errors
/// As [`set_title`].
pub fn reset_title(start: &Start) -> Done {
    let mut map = describe(start, &|_, _, _| Ok(()))?;
    map.exe_fd = u32::MAX;
    set_map(&map)
}

/// [`set_title`], with an empty /proc/PID/environ. If the kernel has no such call, this overwrites the arguments and the
/// environment, of which [`prepare_to_hide`] has made copies.
///
/// # Errors
/// EINVAL: there are no copies.
pub fn hide(start: &Start, title: &'static CStr) -> Done {
    let (first, size) = start.strings();
    if show(start, title, true).is_ok() {
        return Ok(());
    }
    if start.words().any(|word| word.get().address().wrapping_sub(first.addr()) < size) {
        return Err(Failure::INVAL);
    }
    let title = title.to_bytes();
    // SAFETY: the `size` bytes are strings on the initial stack, which is writable, ours alone and never unmapped. No slot leads
    // there any more: the check above found none. A string that was read before `prepare_to_hide` would change, but its memory
    // stays mapped and ends in a NUL; `main` keeps no such string.
    unsafe {
        core::ptr::write_bytes(first, 0, size);
        core::ptr::copy_nonoverlapping(title.as_ptr(), first, title.len().min(size.saturating_sub(1)));
    }
    Ok(())
}

/// If [`set_title`] would fail, copies the arguments and the environment, and makes all slots lead to the copies. It must be
/// called before any code keeps a reference to an argument.
///
/// # Errors
/// ENOMEM: no memory for the copies.
pub fn prepare_to_hide(start: &Start) -> Done {
    let (first, size) = start.strings();
    if size == 0 || reset_title(start).is_ok() {
        return Ok(());
    }
    let copy = map(size)?.cast::<u8>();
    // SAFETY: the strings are `size` bytes of the initial stack, and the new mapping, which has `size` bytes, is elsewhere.
    unsafe { core::ptr::copy_nonoverlapping(first.cast_const(), copy, size) };
    for word in start.words() {
        let offset = word.get().address().wrapping_sub(first.addr());
        if offset < size {
            // SAFETY: the copy has the same bytes at the same distance, the NUL too, and is never unmapped or written again.
            word.set(unsafe { Word::copied(copy.wrapping_add(offset).cast()) });
        }
    }
    Ok(())
}

/// The addresses that [`give_back`] needs.
static START: AtomicPtr<Start> = AtomicPtr::new(core::ptr::null_mut());

/// Keeps the address of `start` for [`give_back`], in this process and in its later children.
pub fn remember(start: &'static Start) {
    START.store(core::ptr::from_ref(start).cast_mut(), Ordering::Relaxed);
}

/// Gives back memory that the start has used: the stack below this function, and the pages of code, which the kernel reads from
/// the file again on demand. Where the kernel refuses, or before [`remember`], nothing changes.
#[inline(never)]
pub fn give_back() {
    // SAFETY: the address is null, or that of a Start that lasts as long as the program (`remember`).
    let Some(start) = (unsafe { START.load(Ordering::Relaxed).as_ref() }) else { return };
    let Ok(map) = describe(start, &|_, _, _| Ok(())) else { return };
    let code = (map.start_code as usize & !(PAGE - 1)) as *mut c_void;
    let size = (map.end_code as usize).wrapping_sub(code.addr());
    let here = 0u8;
    if start.args.as_ptr().addr().wrapping_sub((&raw const here).addr()) > STACK {
        return;
    }
    let stack = ((&raw const here).addr() & !(PAGE - 1)).wrapping_sub(PAGE + STACK) as *mut c_void;
    // SAFETY: nothing below the stack pointer is in use, and the range for madvise(2) ends a page below it: the function that
    // makes the call uses the page. `here` is on the initial stack, at most STACK below the arguments; the kernel lets no other
    // mapping come as near to that stack as the range reaches (stack_guard_gap, mmap(2)). The code has the same bytes in the
    // file: it is not writable, and no copy has taken its place.
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

/// Bytes of the initial stack below the arguments that execve(2) maps.
const STACK: usize = 128 * 1024;

/// The code is cut into parts of this many bytes. A page fault maps up to 16 neighbours of the page too (fault_around_bytes), but
/// only those of the same mapping. A part whose flags differ from its neighbours' is a mapping of its own.
const CHUNK: usize = 4 * PAGE;

/// Whether some of the program is a copy, which cannot be read from the file again.
static COPIED: AtomicBool = AtomicBool::new(false);

/// The addresses of the program's memory, for PR_SET_MM_MAP. Calls `each` with each part of the program: where, how many bytes,
/// and its header.
fn describe(start: &Start, each: &dyn Fn(*mut c_void, usize, &Header) -> Done) -> Result<prctl_mm_map, Failure> {
    let Auxiliary { headers: place, count, name, .. } = start.auxiliary;
    // SAFETY: AT_PHDR and AT_PHNUM are the address and the number of the program headers, which are mapped with the program
    // and never written.
    let headers = unsafe { core::slice::from_raw_parts(place as *const Header, count) };
    // PT_PHDR stands before all PT_LOAD (elf(5)).
    let own = headers.first().filter(|header| header.kind == PT_PHDR).ok_or(Failure::NOEXEC)?;
    let base = place.wrapping_sub(own.address);
    // SAFETY: the struct has integers and a pointer that may be null.
    let mut map: prctl_mm_map = unsafe { core::mem::zeroed() };
    map.start_stack = start.args.as_ptr().addr() as u64;
    // The strings follow one another: the arguments, the environment, the program's path.
    let environment = start.env.address();
    map.arg_start = start.args.first().map_or(0, |word| word.get().address()) as u64;
    map.arg_end = if environment == 0 { name } else { environment } as u64;
    map.env_start = map.arg_end;
    map.env_end = name as u64;
    for header in headers.iter().filter(|header| header.kind == PT_LOAD) {
        let first = base.wrapping_add(header.address);
        let last = first.wrapping_add(header.in_file);
        let page = first & !(PAGE - 1);
        each(page as *mut c_void, last.next_multiple_of(PAGE).wrapping_sub(page), header)?;
        let (first, last) = (first as u64, last as u64);
        if header.flags & PF_X != 0 {
            (map.start_code, map.end_code) = (first, last);
        } else {
            (map.start_data, map.end_data, map.start_brk, map.brk) = (first, last, last, last);
        }
    }
    Ok(map)
}

fn replace(place: *mut c_void, size: usize, header: &Header, same: Option<BorrowedFd<'_>>) -> Done {
    let (writable, executable) = (header.flags & PF_W != 0, header.flags & PF_X != 0);
    if let Some(file) = same.filter(|_| !writable) {
        let again = map_file(file, header.offset & !(PAGE - 1), size, executable)?;
        // SAFETY: the part is `size` bytes that execve(2) mapped from the same place of the same file, and nothing writes to
        // them. mremap(2) puts the one in the place of the other in one step.
        return unsafe { move_onto(again, size, place) };
    }
    if executable {
        COPIED.store(true, Ordering::Relaxed);
    }
    let protection =
        raw::PROT_READ | if writable { raw::PROT_WRITE } else { 0 } | if executable { raw::PROT_EXEC } else { 0 };
    let copy = map_filled(size)?;
    // SAFETY: the part is `size` bytes that execve(2) mapped, and so is the copy, a new mapping. mremap(2) puts the copy in the
    // place of the original in one step. The bytes are the same: nothing writes to the program's data in between, since no
    // thread exists and no other process shares the memory (`is_alone`).
    unsafe {
        core::ptr::copy_nonoverlapping(place.cast_const().cast::<u8>(), copy.cast(), size);
        if !writable {
            protect(copy, size, protection)?;
        }
        move_onto(copy, size, place)
    }
}

/// mprotect(2).
///
/// # Errors
/// EACCES: a security module forbids it. ENOMEM: too many mappings.
///
/// # Safety
/// Nothing relies on the protection that the `size` bytes have now.
unsafe fn protect(place: *mut c_void, size: usize, protection: u32) -> Done {
    // SAFETY: mprotect(2) changes the protection of these pages and nothing else; no code relies on the old one.
    done(unsafe { call!(__NR_mprotect, place, size, protection) })
}

/// mremap(2): moves the mapping `from` to `to`.
///
/// # Errors
/// EINVAL: an address is not that of a page. ENOMEM: too many mappings.
///
/// # Safety
/// The `size` bytes at `to` may be lost, and nothing relies on those at `from`.
unsafe fn move_onto(from: *mut c_void, size: usize, to: *mut c_void) -> Done {
    // SAFETY: MREMAP_FIXED unmaps the `size` bytes at `to`, which the caller gives up, and no others.
    done(unsafe { call!(__NR_mremap, from, size, size, raw::MREMAP_MAYMOVE | raw::MREMAP_FIXED, to) })
}

/// prctl(2), PR_SET_MM_MAP.
///
/// # Errors
/// As [`leave_file`] and [`set_title`].
fn set_map(map: &prctl_mm_map) -> Done {
    let done = set_map_of(map);
    #[cfg(target_pointer_width = "32")]
    if done == Err(Failure::INVAL) {
        return set_map_of(&wide(map));
    }
    done
}

fn set_map_of<T>(map: &T) -> Done {
    use linux_raw_sys::prctl::{PR_SET_MM, PR_SET_MM_MAP};
    let size = size_of::<T>();
    // SAFETY: the kernel reads the struct, whose size goes with it, and no memory that the addresses in it lead to. They
    // decide what /proc shows and where brk(2) begins, and no code of nsinit calls brk(2).
    done(unsafe { call!(__NR_prctl, PR_SET_MM, PR_SET_MM_MAP, core::ptr::from_ref(map), size, 0usize) })
}

/// The struct as a 64-bit kernel reads it, also from a 32-bit program: `auxv`, the pointer behind the eleven addresses, which is null,
/// has 64 bits there. (prctl_set_mm_map in kernel/sys.c has no translation.)
#[cfg(target_pointer_width = "32")]
fn wide(map: &prctl_mm_map) -> [u32; 26] {
    const ADDRESSES: usize = core::mem::offset_of!(prctl_mm_map, auxv) / size_of::<u32>();
    const EXE_FD: usize = ADDRESSES + 3;
    let mut words = [0; 26];
    // SAFETY: the struct begins with ADDRESSES words of integers, and the array has more. Its alignment is that of a word or larger.
    unsafe { core::ptr::copy_nonoverlapping(core::ptr::from_ref(map).cast(), words.as_mut_ptr(), ADDRESSES) };
    words[EXE_FD] = map.exe_fd;
    words
}
