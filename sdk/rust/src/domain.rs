//! Which processes share a clock: all those that run on one kernel, containers included.

use std::fs;

use opentelemetry::KeyValue;
use sha2::{Digest as _, Sha256};

/// The resource attribute.
pub const CLOCK_DOMAIN: &str = "hlc.clock_domain";

/// What Linux draws at every boot; a text of 36 characters.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The resource attribute of this process: the first 16 digits of the boot id's SHA-256. None
/// where the kernel has no boot id. [`HlcProcessor`](crate::HlcProcessor) adds it by itself.
pub fn clock_domain() -> Option<KeyValue> {
    let boot_id = fs::read_to_string(BOOT_ID).ok()?;
    Some(KeyValue::new(CLOCK_DOMAIN, domain(boot_id.trim())))
}

fn domain(boot_id: &str) -> String {
    Sha256::digest(boot_id).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_is_a_hash_of_the_boot_id() {
        // As `printf %s 01234567-89ab-cdef-0123-456789abcdef | sha256sum` says.
        assert_eq!(domain("01234567-89ab-cdef-0123-456789abcdef"), "a23d006bb020a81d");
    }
}
