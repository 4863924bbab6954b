//! How the program starts: the C `main`, the argument vector and the environment, as safe types.
//!
//! A C `main` is used instead of Rust's because Rust's start-up ignores SIGPIPE, which CMD would then inherit, and
//! because on musl `std::env::args()` knows nothing of arguments that it did not get itself. The small build
//! (`--cfg own_start`) does without the C library's start too: nothing here needs its threads' memory, locale or exit
//! handlers, and they are a twentieth of the program.

use core::cell::Cell;
use core::ffi::{c_char, c_int};

use linux_raw_sys::auxvec;

use super::argv::{Env, Word};

/// What the kernel handed to the program.
#[derive(Clone, Copy)]
pub struct Start {
    /// The arguments with `argv[0]`, ended by [`Word::END`].
    pub args: &'static [Cell<Word<'static>>],
    pub env: Env<'static>,
    /// What the kernel adds to them.
    pub auxiliary: Auxiliary,
    /// Where the first string was.
    first: *mut u8,
}

/// Of the auxiliary vector, getauxval(3).
#[derive(Clone, Copy, Default)]
pub struct Auxiliary {
    /// AT_SECURE: we have more rights than the caller (set-id bits, file capabilities).
    pub secure: bool,
    /// AT_PHDR: the address of the program headers.
    pub(super) headers: usize,
    /// AT_PHNUM: how many there are.
    pub(super) count: usize,
    /// AT_EXECFN: where the program's name is.
    pub(super) name: usize,
}

impl Start {
    /// # Safety
    /// To be called with what `main` got, once, before any other use of it.
    #[must_use]
    pub unsafe fn new(argc: c_int, argv: *const *const c_char, envp: *const *const c_char) -> Start {
        let count = usize::try_from(argc).unwrap_or(0) + 1;
        let mut vars = 0;
        // SAFETY: envp is ended by a null pointer (execve(2)), so no slot behind that one is read.
        while !unsafe { *envp.add(vars) }.is_null() {
            vars += 1;
        }
        // SAFETY: argv has argc strings and a null pointer; both arrays lie on the initial stack, which is
        // writable, ours alone (no thread exists) and never unmapped. Word and Cell<Word> have the layout of
        // one pointer (repr(transparent)). With a start of our own, the auxiliary vector lies right behind the environment
        // still; the C library may have moved its end.
        unsafe {
            Start {
                args: core::slice::from_raw_parts(argv.cast(), count),
                env: Env(core::slice::from_raw_parts(envp.cast(), vars + 1)),
                auxiliary: auxiliary(envp.add(vars + 1)),
                first: (if argc > 0 { *argv } else { *envp }).cast_mut().cast(),
            }
        }
    }

    /// Where the strings of the kernel's were, and how many bytes they are: the arguments, the environment, and behind them
    /// the program's name.
    pub(super) fn strings(&self) -> (*mut u8, usize) {
        let size = if self.first.is_null() { 0 } else { self.auxiliary.name.saturating_sub(self.first.addr()) };
        (self.first, size)
    }

    /// All arguments and variables.
    pub(super) fn words(&self) -> impl Iterator<Item = &'static Cell<Word<'static>>> {
        self.args.iter().chain(self.env.0)
    }
}

/// # Safety
/// `vector` is the auxiliary vector: pairs of a kind and a value, up to the kind AT_NULL.
#[cfg(own_start)]
unsafe fn auxiliary(vector: *const *const c_char) -> Auxiliary {
    let mut vector = vector.cast::<[usize; 2]>();
    let mut found = Auxiliary::default();
    loop {
        // SAFETY: the caller's word; the pair that ends it has not been met.
        let [kind, value] = unsafe { *vector };
        match kind as u32 {
            auxvec::AT_NULL => return found,
            auxvec::AT_SECURE => found.secure = value != 0,
            auxvec::AT_PHDR => found.headers = value,
            auxvec::AT_PHNUM => found.count = value,
            auxvec::AT_EXECFN => found.name = value,
            _ => {}
        }
        // SAFETY: as above.
        vector = unsafe { vector.add(1) };
    }
}

/// # Safety
/// None: the C library has kept what there is.
#[cfg(not(own_start))]
unsafe fn auxiliary(_: *const *const c_char) -> Auxiliary {
    unsafe extern "C" {
        fn getauxval(kind: core::ffi::c_ulong) -> core::ffi::c_ulong;
    }
    // SAFETY: getauxval(3) only reads.
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

/// Where the kernel begins.
#[cfg(own_start)]
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    super::arch::first_instructions!(begin)
}

/// The rest of the start: moves the program's pointers to where it was loaded, and calls `main`.
///
/// # Safety
/// `stack` is as execve(2) leaves it: argc, argv, a null pointer, the environment. The program lies at `base`, and
/// `dynamic` is its `_DYNAMIC`.
#[cfg(own_start)]
unsafe extern "C" fn begin(stack: *const usize, base: *const u8, dynamic: *const [usize; 2]) -> ! {
    // SAFETY: the caller's word: the argument array begins behind its length, the environment behind the array's null.
    let status = unsafe {
        relocate(base.addr(), dynamic);
        let argv = stack.add(1);
        main(*stack as c_int, argv.cast(), argv.add(*stack + 1).cast())
    };
    super::process::exit(status)
}

/// Adds `base` to every pointer that the compact table of relocations names: an address, or the bits of those among the
/// words behind the last one. (System V ABI, DT_RELR; the build makes no other kind.)
///
/// # Safety
/// As for [`begin`]; once.
#[cfg(own_start)]
unsafe fn relocate(base: usize, mut dynamic: *const [usize; 2]) {
    const DT_RELRSZ: usize = 35;
    const DT_RELR: usize = 36;
    let (mut table, mut size) = (0, 0);
    // SAFETY: _DYNAMIC ends with the tag 0; the table has `size` bytes of words, each the address of a pointer in our own
    // writable data, or bits for the words behind it. Nothing before this has used any of those pointers.
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
#[macro_export]
macro_rules! entry {
    ($run:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn main(
            argc: core::ffi::c_int,
            argv: *const *const core::ffi::c_char,
            envp: *const *const core::ffi::c_char,
        ) -> core::ffi::c_int {
            // SAFETY: these are main's own arguments.
            $run(unsafe { $crate::sys::Start::new(argc, argv, envp) })
        }
    };
}
