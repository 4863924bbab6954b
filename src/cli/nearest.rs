//! The option that the user probably meant.

#[cfg(feature = "help")]
use engine::text;

use super::complaint::Form;
use super::rows::Vocabulary;

/// No option is proposed in this build.
#[cfg(not(feature = "help"))]
pub const fn option(_: &'static Vocabulary, _: &[u8]) -> Option<Form> {
    None
}

/// Options of docker, podman, bubblewrap's front ends and unshare(1), each with the one of nsinit that does this.
#[cfg(feature = "help")]
pub const OF_OTHERS: &[u8] = b"-v --bind,--volume --bind,--mount --bind,-e --setenv,--env --setenv,-p --net,--publish --net,--network --net,\
    -u --uid,--user --uid,-w --chdir,--workdir --chdir,--cwd --chdir,-d --detach,-i --pty,-t --pty,-it --pty,--interactive --pty,--tty --pty,\
    --rootfs --root,--device --dev-bind,--pids-limit --pids,--ulimit --rlimit,--dns --resolv-conf,--pid --share-pid,--ipc --share-ipc,\
    --stop-signal --rewrite,--timeout --stop-timeout,--cgroup-parent --cgroup,--security-opt --seccomp-profile,\
    --mount-proc --proc,-r --unshare-user,--map-root-user --unshare-user";

/// The option that another program has under this name; otherwise the one that differs from `word` in the fewest letters: two at most,
/// and less than a third of them.
#[cfg(feature = "help")]
pub fn option(words: &'static Vocabulary, word: &[u8]) -> Option<Form> {
    let name = text::first(word, b'=');
    let name = OF_OTHERS
        .split(|byte| *byte == b',')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b" "))
        .unwrap_or(name);
    let mut best = (3.min(name.len().div_ceil(3)), None);
    core::iter::successors(Some(words), |words| words.more).flat_map(Vocabulary::lines).for_each(|row| {
        let far = distance(name, row.form.name());
        if far < best.0 && !row.help.is_empty() && !row.is_title() {
            best = (far, Some(row.form));
        }
    });
    best.1
}

/// How many letters have to be inserted, removed or replaced to make one word the other (Levenshtein).
#[cfg(feature = "help")]
fn distance(one: &[u8], other: &[u8]) -> usize {
    if other.is_empty() {
        return one.len();
    }
    let mut line: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.iter().enumerate() {
        let (mut diagonal, mut left) = (index, index + 1);
        for (cell, its) in line.iter_mut().skip(1).zip(other) {
            let above = *cell;
            left = (diagonal + usize::from(letter != its)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
    }
    line.last().copied().unwrap_or_default()
}

#[cfg(feature = "help")]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_letters() {
        for (one, other, far) in
            [("", "", 0), ("", "ab", 2), ("abc", "abc", 0), ("abc", "bc", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one.as_bytes(), other.as_bytes()), far, "{one} {other}");
            assert_eq!(distance(other.as_bytes(), one.as_bytes()), far, "{one} {other}");
        }
    }
}
