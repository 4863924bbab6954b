//! Facts about a machine, and about an image, that follow from a Spec.

#[cfg(feature = "boot")]
use super::{AtEnd, Life};
use super::{Spec, rooms};

impl Spec<'_> {
    /// Whether nsinit prepares a machine, and ends it.
    #[must_use]
    pub const fn boots(&self) -> bool {
        rooms::BOOT && self.machine.boots
    }

    /// Whether the root is an image.
    #[must_use]
    pub const fn has_image(&self) -> bool {
        rooms::IMAGE && self.root.image
    }

    /// Whether an option is given, beside --switch-root, that the init that takes over could not carry out.
    #[cfg(feature = "boot")]
    #[must_use]
    pub fn asks_for_more_than_a_switch(&self) -> bool {
        let life = &self.life;
        self.enters()
            || self.awaits_start()
            || self.is_told_of()
            || life.title.is_some()
            || life.die_with_parent.is_some()
            || life.new_session
            || life.end != Spec::PRESET.life.end
            || Life { verbose: 0, ..*life }.asks_for_more_than_the_preset()
            || self.uses_landlock()
            || self.confine.securebits.is_some()
            || !self.confine.limits.is_empty()
            || self.machine.at_end == AtEnd::Respawn
            || self.machine.asks_for_failure_or_services()
            || self.hardware.is_asked_for()
    }
}
