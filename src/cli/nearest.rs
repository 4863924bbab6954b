//! The option that the user probably meant.

use engine::text::Text;
#[cfg(feature = "help")]
use engine::{
    say,
    text::{self, Say},
};

use super::rows::Vocabulary;

/// No option is proposed in this build.
#[cfg(not(feature = "help"))]
pub const fn propose(_: &'static Vocabulary, _: &[u8], _: &mut Text) -> bool {
    false
}

/// Options of docker, podman, systemd-nspawn and unshare(1), and what nsinit has instead: its option as it is typed, or a phrase.
#[cfg(feature = "help")]
pub const OF_OTHERS: Say = say!(
    "-v --volume --mount=--bind SRC DEST\n\
    -e --env=--setenv VAR VALUE\n\
    -p --publish=--net pasta:-t,8080:80\n\
    --network=--net NETWORK\n\
    --dns=--resolv-conf SOURCE\n\
    --add-host --secret=--ro-bind SRC DEST\n\
    -u --user=--uid UID\n\
    --group-add=--groups GIDS\n\
    -w --workdir --cwd=--chdir DIR\n\
    -d=--detach\n\
    -m=--memory SIZE\n\
    --memory-swap=--swap SIZE\n\
    --pids-limit=--pids N\n\
    --cpu-shares=--cpu-weight N\n\
    --cpuset-cpus=--cpuset LIST\n\
    --shm-size=--size 64M --tmpfs /dev/shm\n\
    --ulimit=--rlimit NAME=SOFT:HARD\n\
    --rootfs --chroot --directory=--root DIR\n\
    --ro=--read-only\n\
    --device=--dev-bind SRC DEST\n\
    --pid=--share-pid\n\
    --ipc=--share-ipc\n\
    --uts=--share-uts\n\
    --stop-signal=--rewrite TERM:INT\n\
    --cgroup-parent=--cgroup PATH\n\
    --security-opt=--seccomp-profile PROFILE\n\
    --log-driver=--log FILE\n\
    --ps --ls=--list\n\
    --mount-proc=--proc DEST\n\
    -r --map-root-user=--unshare-user\n\
    -i -t -it -ti --interactive --tty=not needed: CMD has the caller's input and terminal\n\
    --rm=not needed: only files written to DIR stay; see --volatile\n\
    --entrypoint=not needed: CMD is what runs\n\
    --privileged=see --cap-add and --allow-nesting\n\
    --timeout=see timeout(1): timeout 60 nsinit ...\n\
    --kill=--stop TARGET"
);

/// Appends what to do instead of an unknown option: what [`OF_OTHERS`] has for it; otherwise the option that differs in the fewest
/// letters, two at most, and less than a third of them. Returns whether there is anything.
#[cfg(feature = "help")]
pub fn propose(words: &'static Vocabulary, word: &[u8], line: &mut Text) -> bool {
    let name = text::first(word, b'=');
    let mut table = Vec::new();
    OF_OTHERS.each(&mut |byte| table.push(byte));
    let hint = table.split(|byte| *byte == b'\n').find_map(|row| {
        let mut hint = row;
        let names = text::word(&mut hint, b'=')?;
        text::place(names, name).map(|_| hint)
    });
    let (wanted, most) = match hint {
        Some(phrase) if !phrase.starts_with(b"-") => {
            line.say(say!("' (")).push(phrase).byte(b')');
            return true;
        }
        // This build may be without it.
        Some(option) => (text::first(option, b' '), 1),
        None => (name, 3.min(name.len().div_ceil(3))),
    };
    let mut best = (most, None);
    core::iter::successors(Some(words), |words| words.more).flat_map(Vocabulary::lines).for_each(|row| {
        let far = distance(wanted, row.form.name());
        if far < best.0 && !row.help.is_empty() && !row.is_title() {
            best = (far, Some(row.form));
        }
    });
    let Some(form) = best.1 else { return false };
    line.say(say!("', did you mean '")).push(hint.unwrap_or(form.name())).say(say!("'?"));
    true
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
