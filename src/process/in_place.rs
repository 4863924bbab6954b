//! The launcher where no container is made: it is the parent of the command. With `--init`, as process 1 of an image, and under the
//! names of other inits.

use crate::confine::caps;
#[cfg(feature = "container")]
use crate::ns::hostname;
use crate::process::command;
use crate::process::connect::SHOW_NAME;
#[cfg(feature = "container")]
use crate::rootfs::ops;
use crate::say;
#[cfg(feature = "container")]
use crate::spec::Object;
use crate::state::{Launch, Launcher};
use crate::step::{self, OnError, walk};
use crate::sys::Done;

type Step = step::Step<Launcher>;

static STEPS: &[Step] = &[
    SHOW_NAME,
    #[cfg(feature = "container")]
    Step::new(hostname::SET, |launcher| hostname::set_in_place(&launcher.launch.spec))
        .on(Object::Hostname)
        .when(|spec| spec.namespaces.hostname.is_some()),
    Step::new(say!("start CMD"), |launcher| {
        let (command, apart) = command::start(&mut launcher.launch)?;
        launcher.outside.container.set(command);
        launcher.command = Some((command, apart));
        Ok(())
    }),
    // If this fails, nsinit keeps more capabilities than it needs. Its only children are in place, and not confined by it.
    Step::new(say!("reduce capabilities"), |launcher| caps::keep_for_the_end(&launcher.launch.spec))
        .when(|spec| spec.life.process_1)
        .on_error(OnError::Ignore),
];

/// All steps up to the start of the command, in their order.
///
/// # Errors
/// The first step that failed, reported.
pub fn plan(launcher: &mut Launcher) -> Done {
    prepare(&launcher.launch)?;
    walk(STEPS, launcher)
}

/// The user's operations on the root, where no container is made. Process 1 of a machine has carried them out before, once for all
/// starts of the command.
#[cfg(feature = "container")]
fn prepare(launch: &Launch) -> Done {
    let spec = &launch.spec;
    if spec.prepares_in_place() && !spec.boots() { ops::apply_in_place(launch, c"/") } else { Ok(()) }
}

/// No option of this build asks for it.
#[cfg(not(feature = "container"))]
const fn prepare(_: &Launch) -> Done {
    Ok(())
}
