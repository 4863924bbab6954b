//! How the program starts: the C `main`, the argument vector and the environment, as safe types.
//!
//! A C `main` is used instead of Rust's because Rust's start-up ignores SIGPIPE, which CMD would then inherit, and
//! because on musl `std::env::args()` knows nothing of arguments that it did not get itself. The small build
//! (`--cfg own_start`) does without the C library's start too: nothing here needs its threads' memory, locale or exit
//! handlers, and they are a twentieth of the program.

use core::cell::Cell;
use core::ffi::{CStr, c_char, c_int};
use core::marker::PhantomData;

use linux_raw_sys::auxvec;

/// One entry of an `argv` or `envp` array as execve(2) wants it: a C string, or the terminating null.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct Word<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> Word<'a> {
    /// The null pointer that ends an array.
    pub const END: Word<'static> = Word(core::ptr::null(), PhantomData);

    pub const fn new(text: &'a CStr) -> Word<'a> {
        Word(text.as_ptr(), PhantomData)
    }

    /// The string, or `None` for the terminator.
    pub fn get(self) -> Option<&'a CStr> {
        if self.0.is_null() {
            return None;
        }
        // SAFETY: every non-null Word was made from a `&'a CStr`, or by `Start::new` from the kernel's own
        // argv/envp, whose strings are NUL-terminated (execve(2)) and stay mapped as long as the process lives.
        Some(unsafe { CStr::from_ptr(self.0) })
    }

    /// The string; an empty one for the terminator.
    #[inline(never)]
    pub fn text(self) -> &'a CStr {
        self.get().unwrap_or_default()
    }

    /// # Safety
    /// A C string lies there, and stays.
    pub(super) unsafe fn copied(text: *const c_char) -> Word<'static> {
        Word(text, PhantomData)
    }

    pub(super) fn address(self) -> usize {
        self.0.addr()
    }

    pub fn is_end(self) -> bool {
        self.0.is_null()
    }
}

/// The C string that begins `buffer`; nothing if its last byte is not NUL.
#[must_use]
pub fn c_str(buffer: &[u8]) -> &CStr {
    match buffer.last() {
        // SAFETY: there is a NUL in the buffer, at its end if not before.
        Some(0) => unsafe { CStr::from_ptr(buffer.as_ptr().cast()) },
        _ => c"",
    }
}

/// What follows the first `from` bytes of `text`.
#[must_use]
pub fn tail(text: &CStr, from: usize) -> &CStr {
    c_str(text.to_bytes_with_nul().get(from..).unwrap_or_default())
}

/// CMD's argument vector with one spare slot in front.
///
/// The spare slot is there for files without a format that the kernel knows (ENOEXEC): like execvp(3),
/// `/bin/sh` then gets the path and the arguments, and the array is rewritten in place because nothing
/// may be allocated any more.
#[derive(Clone, Copy)]
pub struct Argv<'a>(&'a [Cell<Word<'static>>]);

impl<'a> Argv<'a> {
    /// No command.
    pub const NONE: Argv<'static> = Argv(&[]);

    /// `words` is: a spare slot, the command, its arguments, [`Word::END`]. [`Argv::NONE`] if it is anything else.
    pub fn new(words: &'a [Cell<Word<'static>>]) -> Argv<'a> {
        match words {
            [_spare, command, .., end] if !command.get().is_end() && end.get().is_end() => Argv(words),
            _ => Argv(&[]),
        }
    }

    /// The name of the command, as the user gave it.
    pub fn command(&self) -> &'a CStr {
        self.0.get(1).and_then(|word| word.get().get()).unwrap_or(c"")
    }

    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Has the command be told another name.
    pub fn rename(&self, name: &'static CStr) {
        if let Some(command) = self.0.get(1) {
            command.set(Word::new(name));
        }
    }

    /// The array for execve(2).
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.0.get(1..).unwrap_or_default().as_ptr().cast()
    }

    /// `body` sees the array as `shell path argument...`; afterwards it is what it was.
    pub(super) fn as_script<T>(
        &self,
        shell: &CStr,
        path: &CStr,
        body: impl FnOnce(*const *const c_char) -> T,
    ) -> Option<T> {
        let [spare, command, ..] = self.0 else { return None };
        let before = (spare.get(), command.get());
        spare.set(Word(shell.as_ptr(), PhantomData));
        command.set(Word(path.as_ptr(), PhantomData));
        let result = body(self.0.as_ptr().cast());
        spare.set(before.0);
        command.set(before.1);
        Some(result)
    }
}

/// An environment for execve(2), ended by [`Word::END`].
#[derive(Clone, Copy)]
pub struct Env<'a>(&'a [Cell<Word<'static>>]);

impl<'a> Env<'a> {
    /// An empty one.
    pub const NONE: Env<'static> = Env(&[]);

    /// [`Env::NONE`] if `words` do not end with [`Word::END`].
    pub fn new(words: &'a [Cell<Word<'static>>]) -> Env<'a> {
        if words.last().is_some_and(|last| last.get().is_end()) { Env(words) } else { Env::NONE }
    }

    pub fn words(&self) -> impl Iterator<Item = &'static CStr> {
        self.0.iter().map_while(|word| word.get().get())
    }

    /// Where the first string is; 0 if there is none.
    pub(super) fn address(&self) -> usize {
        self.0.first().map_or(0, |word| word.get().address())
    }

    /// Linux takes no array for an empty one (execve(2)).
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        if self.0.is_empty() { core::ptr::null() } else { self.0.as_ptr().cast() }
    }

    /// `body` runs while the word at `index` is `text`; afterwards it is what it was.
    pub fn with<T>(&self, index: usize, text: &CStr, body: impl FnOnce() -> T) -> T {
        let Some(slot) = self.0.get(index) else { return body() };
        let before = slot.replace(Word(text.as_ptr(), PhantomData));
        let result = body();
        slot.set(before);
        result
    }
}

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

/// The rest of the start: moves the program's pointers to where it was loaded, and calls `main`.
///
/// # Safety
/// `stack` is as execve(2) leaves it: argc, argv, a null pointer, the environment. The program lies at `base`, and
/// `dynamic` is its `_DYNAMIC`.
#[cfg(own_start)]
pub(super) unsafe extern "C" fn begin(stack: *const usize, base: *const u8, dynamic: *const [usize; 2]) -> ! {
    // SAFETY: the caller's word: the argument array begins behind its length, the environment behind the array's null.
    let status = unsafe {
        relocate(base.addr(), dynamic);
        let argv = stack.add(1);
        main(*stack as c_int, argv.cast(), argv.add(*stack + 1).cast())
    };
    super::exit(status)
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
