//! PROCESS: as `machine`: how it begins to serve the devices. `supervise::hardware` serves them.

use crate::say;
use crate::spec::{Object, Spec};
use crate::state::Launch;
use crate::step::{self, OnError};
use crate::supervise::hardware::{buttons, clock, seed, watchdog};
use crate::text::Say;

type Step = step::Step<Launch>;

/// A step that fails gives a warning.
pub static SERVED: &[Step] = &[
    Step::new(say!("start the watchdog /dev/watchdog"), |launch| {
        launch.spec.hardware.watchdog.map_or(Ok(()), watchdog::start)
    })
    .when(|spec| spec.hardware.watchdog.is_some())
    .on_error(WARN),
    Step::new(say!("set the clock by"), |launch| launch.spec.hardware.clock.map_or(Ok(()), clock::advance))
        .on(Object::Clock)
        .when(|spec| spec.hardware.clock.is_some())
        .on_error(WARN),
    Step::new(say!("take the seed"), |launch| launch.spec.hardware.seed.map_or(Ok(()), seed::take))
        .on(Object::Seed)
        .when(|spec| spec.hardware.seed.is_some())
        .on_error(WARN),
    Step::new(say!("watch the power button"), |_| buttons::watch()).when(watches_button).on_error(WARN),
];

const WARN: OnError = OnError::Warn(Say::NOTHING);

/// In a container the devices are not its own.
fn watches_button(spec: &Spec<'_>) -> bool {
    spec.machine.is_whole && spec.machine.switch_root.is_none() && !spec.hardware.ignores_button
}
