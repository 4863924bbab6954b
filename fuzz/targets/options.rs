//! A command line becomes a Spec or a message, whatever it is. The first byte of the input chooses the program's name. A newline ends
//! a word; the words after a byte 0xff are those that `--args FD` reads.
#![no_main]

use core::ffi::CStr;

use engine::spec::{Masks, Mode};
use libfuzzer_sys::fuzz_target;
use nsinit_fuzz::cli::fuzz;
use nsinit_fuzz::{in_arena, words};

const NAMES: [&CStr; 6] = [c"nsinit", c"nsinit", c"bwrap", c"tini", c"dumb-init", c"catatonit"];

fuzz_target!(|input: &[u8]| {
    in_arena(input, |input| {
        let Some((name, text)) = input.split_first() else { return };
        let mut parts = text.splitn(2, |byte| *byte == 0xff);
        let [own, more] = [(); 2].map(|()| words(parts.next().unwrap_or_default()));
        // The program's own name comes first.
        let name = NAMES[usize::from(*name) % NAMES.len()];
        let Some(spec) = fuzz::of_words(name, own, more) else { return };
        // A protection of the preset is on, unless an option took it away.
        let asked =
            |option: &[u8]| [own, more].iter().any(|words| words.split(|byte| *byte == 0).any(|word| word == option));
        if spec.mode == Mode::Root {
            assert!(spec.confine.no_new_privs || asked(b"--allow-new-privs"));
            assert!(spec.root.masks == Masks::All || asked(b"--no-masks"));
            assert!(!spec.namespaces.allow_nesting || asked(b"--allow-nesting"));
            assert!(!spec.exec.keep_all_fds);
            assert!(!spec.confine.keep_keyring || asked(b"--keep-keyring"));
        }
        assert!(!spec.exec.argv.is_none());
    });
});
