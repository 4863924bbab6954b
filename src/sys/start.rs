//! The program's start: the C `main`, and its arguments, environment and auxiliary vector as safe types.
//!
//! A C `main` replaces Rust's, because Rust's start-up ignores SIGPIPE, which CMD would inherit, and because on musl
//! `std::env::args()` is empty without Rust's start-up. The small build (`--cfg own_start`) has no start of the C library either:
//! nothing here needs its thread-local memory, locale or exit handlers, which are a twentieth of the program.

use core::ffi::{c_char, c_int};

use linux_raw_sys::auxvec;

use super::argv::{Env, Slot};

/// The arguments, the environment and the auxiliary vector that the kernel passes to the program.
#[derive(Clone, Copy)]
pub struct Start {
    /// The arguments with `argv[0]`, and [`END`](super::Word::END).
    pub args: &'static [Slot],
    pub env: Env<'static>,
    /// Values that the kernel passes besides.
    pub auxiliary: Auxiliary,
    /// The address of the first string, as the kernel put it.
    first: *mut u8,
}

// SAFETY: `first` is the only field that is not Send and Sync. Only `hide` writes to its address, after it has checked that no
// slot leads there any more.
unsafe impl Send for Start {}
// SAFETY: a Start has no method that writes, except to its slots, which are atomic.
unsafe impl Sync for Start {}

/// The values of the auxiliary vector that are used, getauxval(3).
#[derive(Clone, Copy, Default)]
pub struct Auxiliary {
    /// AT_SECURE: execve(2) gave us more rights than the caller has (set-id bits, file capabilities).
    pub secure: bool,
    /// AT_PHDR: the address of the program headers.
    pub(super) headers: usize,
    /// AT_PHNUM: the number of program headers.
    pub(super) count: usize,
    /// AT_EXECFN: the address of the program's path.
    pub(super) name: usize,
}

impl Start {
    /// # Safety
    /// The arguments are those of `main`. It is called once, before any other use of them.
    #[must_use]
    pub unsafe fn new(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> Start {
        let count = usize::try_from(argc).unwrap_or(0) + 1;
        let mut vars = 0;
        // SAFETY: envp ends in a null pointer (execve(2)), and no entry behind that is read.
        while !unsafe { *envp.add(vars) }.is_null() {
            vars += 1;
        }
        // SAFETY: argv has argc strings and a null pointer. Both arrays are on the initial stack, which is writable, is never
        // unmapped, and belongs to the only thread. A Slot has the layout of a pointer (repr(transparent),
        // AtomicPtr). With `own_start` the auxiliary vector lies behind the environment's null pointer, where execve(2) puts
        // it; otherwise `auxiliary` does not look there, since the C library may have moved the end of the environment.
        unsafe {
            Start {
                args: core::slice::from_raw_parts(argv.cast(), count),
                env: Env(core::slice::from_raw_parts(envp.cast(), vars + 1)),
                auxiliary: auxiliary(envp.add(vars + 1)),
                first: (if argc > 0 { *argv } else { *envp }).cast_mut().cast(),
            }
        }
    }

    /// The address and the bytes of the strings that the kernel put on the stack: the arguments and the environment, up to the
    /// program's path, which follows them.
    pub(super) fn strings(&self) -> (*mut u8, usize) {
        let size = if self.first.is_null() { 0 } else { self.auxiliary.name.saturating_sub(self.first.addr()) };
        (self.first, size)
    }

    /// All arguments and variables.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static Slot> {
        self.args.iter().chain(self.env.0)
    }
}

/// # Safety
/// `vector` leads to the auxiliary vector: pairs of a kind and a value, up to the kind AT_NULL.
#[cfg(own_start)]
unsafe fn auxiliary(vector: *const *const c_char) -> Auxiliary {
    let mut vector = vector.cast::<[usize; 2]>();
    let mut found = Auxiliary::default();
    loop {
        // SAFETY: the vector has a pair here, because AT_NULL has not come yet.
        let [kind, value] = unsafe { *vector };
        match kind as u32 {
            auxvec::AT_NULL => return found,
            auxvec::AT_SECURE => found.secure = value != 0,
            auxvec::AT_PHDR => found.headers = value,
            auxvec::AT_PHNUM => found.count = value,
            auxvec::AT_EXECFN => found.name = value,
            _ => {}
        }
        // SAFETY: this pair was not AT_NULL, so another one follows.
        vector = unsafe { vector.add(1) };
    }
}

/// The values that the C library has kept.
///
/// # Safety
/// None is needed: the argument is not used.
#[cfg(not(own_start))]
unsafe fn auxiliary(_: *const *const c_char) -> Auxiliary {
    unsafe extern "C" {
        fn getauxval(kind: core::ffi::c_ulong) -> core::ffi::c_ulong;
    }
    // SAFETY: getauxval(3) takes a number and reads the C library's copy of the vector.
    let value = |kind: u32| unsafe { getauxval(kind.into()) } as usize;
    Auxiliary {
        secure: value(auxvec::AT_SECURE) != 0,
        headers: value(auxvec::AT_PHDR),
        count: value(auxvec::AT_PHNUM),
        name: value(auxvec::AT_EXECFN),
    }
}

#[cfg(own_start)]
unsafe extern "C" {
    fn main(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> c_int;
}

/// The first instructions of the program: a jump to [`begin`].
#[cfg(own_start)]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    super::arch::first_instructions!(begin)
}

/// The rest of the start: relocates the program's pointers to the address where it was loaded, and calls `main`.
///
/// # Safety
/// `stack` is as execve(2) leaves it: argc, argv, a null pointer, the environment. The program is loaded at `base`, and
/// `dynamic` leads to its `_DYNAMIC`. It is called once, by `_start`.
#[cfg(own_start)]
unsafe extern "C" fn begin(stack: *const usize, base: *const u8, dynamic: *const [usize; 2]) -> ! {
    // SAFETY: `_start` passes the three registers as they are described; argv begins behind its length, and the environment
    // behind the null pointer of argv. Before `relocate` no pointer in the program's data is used.
    let status = unsafe {
        relocate(base.addr(), dynamic);
        let argv = stack.add(1);
        main(*stack as c_int, argv.cast(), argv.add(*stack + 1).cast())
    };
    super::process::exit(status)
}

/// Adds `base` to each pointer that the table DT_RELR names (System V ABI): an entry is the address of a pointer, or a bit for
/// each of the words behind the last one. The build makes no other relocations (scripts/build checks that).
///
/// # Safety
/// As for [`begin`]. A second call would add `base` twice.
#[cfg(own_start)]
unsafe fn relocate(base: usize, mut dynamic: *const [usize; 2]) {
    const DT_RELRSZ: usize = 35;
    const DT_RELR: usize = 36;
    let (mut table, mut size) = (0, 0);
    // SAFETY: _DYNAMIC ends with the tag 0 (DT_NULL). The linker wrote the table: DT_RELRSZ bytes of words, each the address of a
    // pointer in our own writable data, or bits for the words behind it. None of those pointers has been used yet.
    unsafe {
        loop {
            match *dynamic {
                [0, _] => break,
                [DT_RELR, value] => table = value,
                [DT_RELRSZ, value] => size = value,
                _ => {}
            }
            dynamic = dynamic.add(1);
        }
        let entries = core::slice::from_raw_parts((base + table) as *const usize, size / size_of::<usize>());
        let mut next = core::ptr::null_mut::<usize>();
        for &entry in entries {
            if entry & 1 == 0 {
                let place = (base + entry) as *mut usize;
                *place += base;
                next = place.add(1);
                continue;
            }
            let (mut bits, mut place) = (entry >> 1, next);
            while bits != 0 {
                if bits & 1 == 1 {
                    *place += base;
                }
                bits >>= 1;
                place = place.wrapping_add(1);
            }
            next = next.wrapping_add(usize::BITS as usize - 1);
        }
    }
}

/// Defines the C `main` that calls `$run(Start) -> i32`.
#[doc(hidden)]
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            argc: core::ffi::c_int,
            argv: *const *const core::ffi::c_char,
            envp: *const *const core::ffi::c_char,
        ) -> core::ffi::c_int {
            // SAFETY: these are the arguments of `main`, which the start of the program calls once.
            $run(unsafe { $crate::sys::Start::new(argc, argv, envp) })
        }
    };
}
