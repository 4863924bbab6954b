//! The launcher connects the container's network to the one that it is in, while process 1 waits.

#[cfg(feature = "net")]
use crate::net::{links, pasta};
#[cfg(feature = "net")]
use crate::say;
#[cfg(feature = "net")]
use crate::spec::Object;
use crate::spec::Spec;
use crate::state::Launcher;
use crate::step::{self, walk};
use crate::sys::Done;

type Step = step::Step<Launcher>;

static STEPS: &[Step] = &[
    #[cfg(feature = "net")]
    Step::new(say!("open the network of process 1"), |launcher| {
        links::open(&mut launcher.launch, launcher.directory.get()?)
    })
    .when(|spec| spec.has_links()),
    #[cfg(feature = "net")]
    Step::new(say!("make the interfaces of the container"), |launcher| {
        links::make_all(&launcher.launch, launcher.directory.get()?)
    })
    .when(|spec| spec.has_links()),
    #[cfg(feature = "net")]
    Step::new(say!("start"), pasta::start).on(Object::Pasta).when(|spec| spec.has_pasta()),
];

/// Connects it, if an option asks for that.
///
/// # Errors
/// The first step that failed, reported.
pub fn connect(launcher: &mut Launcher) -> Done {
    walk(STEPS, launcher)?;
    if launcher.launch.explains() {
        explain(&launcher.launch.spec);
    }
    Ok(())
}

#[cfg(feature = "net")]
fn explain(spec: &Spec<'_>) {
    links::explain_all(spec);
}

/// No option of this build asks for it.
#[cfg(not(feature = "net"))]
const fn explain(_: &Spec<'_>) {}
