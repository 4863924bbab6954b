//! How a launch lives: what it costs its caller, what it has left before CMD's first instruction, how it ends.

use std::mem;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use super::harness::scratch::nsinit;
use super::harness::{Launch, roots, who};

// ---- the environment

/// The processor time of `nsinit options -- /bin/true` with so many variables, children included.
#[expect(clippy::zombie_processes, reason = "wait4 takes it, with what it has used")]
fn time_with(variables: usize, options: &[&str]) -> Duration {
    let mut command = Command::new(nsinit());
    command.env_clear().env("PATH", "/usr/bin:/bin");
    for number in 0..variables {
        command.env(format!("VARIABLE_{number}_SERVICE_PORT"), "tcp://10.0.0.1:80");
    }
    let child = command.args(options).args(["--", "/bin/true"]).spawn().expect("start nsinit");
    // SAFETY: wait4 fills both; a struct of integers may be all zero.
    let (status, usage) = unsafe {
        let (mut status, mut usage): (i32, libc::rusage) = (0, mem::zeroed());
        assert!(libc::wait4(child.id() as i32, &raw mut status, 0, &raw mut usage) > 0, "wait for nsinit");
        (status, usage)
    };
    assert_eq!(status, 0, "{options:?}");
    let time = |time: libc::timeval| Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// A Kubernetes cluster with 700 services gives each container 5,000 variables. It took 2.4 s, and 20,000 took 33.
#[test]
fn start_up_is_linear_in_the_callers_environment() {
    let many: Vec<String> = (0..500).map(|number| format!("VARIABLE_{}_SERVICE_PORT", number * 7)).collect();
    let each = |option: &'static str| many.iter().flat_map(move |name| [option, name.as_str()]).collect::<Vec<_>>();
    let sets: Vec<&str> = many.iter().flat_map(|name| ["--setenv", name.as_str(), "x"]).collect();
    let bind = ["--bind", "/", "/"];
    for options in [
        &[][..],
        &["--init"],
        &bind,
        &[&bind[..], &each("--unsetenv")].concat(),
        &[&bind[..], &sets].concat(),
        &[&bind[..], &["--clearenv"], &each("--pass-env")].concat(),
        &[&bind[..], &["--keep-env"; 50]].concat(),
    ] {
        let (few, lots) = (time_with(2_000, options), time_with(16_000, options));
        // A square would be 64 times as much, and seconds.
        assert!(lots < few * 24 + Duration::from_millis(500), "{:?}: {few:?} {lots:?}", options.first());
    }
}

/// What the caller has twice, in what order, is CMD's, where no option speaks of the environment.
#[test]
fn an_environment_that_nobody_speaks_of_is_the_callers() {
    let words = [c"B=1", c"A=2", c"B=3", c"PATH=/usr/bin:/bin", c"bare", c"=", c"A=4"];
    let exec = |options: &[&str]| {
        let mut args: Vec<_> = vec![nsinit().to_str().expect("UTF-8").to_owned()];
        args.extend(options.iter().map(ToString::to_string));
        args.extend(["--", "/usr/bin/env", "-0"].map(String::from));
        let args: Vec<_> = args.into_iter().map(|arg| std::ffi::CString::new(arg).expect("no NUL")).collect();
        let mut helper = Command::new("/bin/true");
        // SAFETY: execve takes two arrays that end with null.
        unsafe {
            helper.pre_exec(move || {
                let ended = |list: Vec<*const libc::c_char>| [list, vec![std::ptr::null()]].concat();
                let argv = ended(args.iter().map(|arg| arg.as_ptr()).collect());
                let envp = ended(words.iter().map(|word| word.as_ptr()).collect());
                libc::execve(argv[0], argv.as_ptr(), envp.as_ptr());
                Err(std::io::Error::last_os_error())
            });
        }
        let out = helper.output().expect("run nsinit");
        String::from_utf8(out.stdout).expect("UTF-8").replace('\0', " ")
    };
    let all = "B=1 A=2 B=3 PATH=/usr/bin:/bin bare = A=4 ";
    for (options, expected) in [
        (&[][..], all),
        (&["--init"], all),
        (&["--bind", "/", "/", "--chdir", "/"], &format!("{all}PWD=/ ")),
        (&["--bind", "/", "/", "--chdir", "/", "--unsetenv", "A"], "B=1 B=3 PATH=/usr/bin:/bin bare = PWD=/ "),
        (&["--bind", "/", "/", "--chdir", "/", "--setenv", "B", "5"], "A=2 PATH=/usr/bin:/bin bare = A=4 B=5 PWD=/ "),
    ] {
        assert_eq!(exec(options), expected, "{options:?}");
    }
}

/// LISTEN_PID=1 is for process 1: for another it is somebody else's (sd_listen_fds(3)). What goes with it is CMD's too.
#[test]
fn listen_pid_1_is_rewritten_by_a_process_1_alone() {
    let script = "echo $LISTEN_PID ${LISTEN_PIDFDID-none}";
    for who in who::both() {
        let launch = |number: &str| {
            Launch::new(who).env("LISTEN_PID", number).env("LISTEN_PIDFDID", "7").args(["--", "sh", "-c", script]).run()
        };
        launch("1").is(0, "1 7\n", "");
        launch("x").is(0, "x 7\n", "");
    }
    for root in roots() {
        let options = ["--keep-env"];
        let run = |options: &[&str], number| {
            let launch = root.launch(options, &["sh", "-c", "echo $(($LISTEN_PID == $$)) ${LISTEN_PIDFDID-none}"]);
            launch.env("LISTEN_PID", number).env("LISTEN_PIDFDID", "7").run()
        };
        run(&options, "1").is(0, "1 none\n", "");
        run(&["--keep-env", "--share-pid"], "1").is(0, "0 7\n", "");
    }
}
