//! Any bytes: our decoder of OTLP and prost's agree on them, and neither panics.
//!
//! What agreeing means is said, and checked, by `model/tests/it/agreement.rs`.

#![no_main]

#[path = "../../model/tests/it/agreement.rs"]
mod agreement;
#[path = "../../model/tests/it/reference.rs"]
mod reference;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(difference) = agreement::check(bytes) {
        panic!("{difference}");
    }
});
