//! What does not change while the shop runs: settings and instances, who is alive, how far apart they are.

use super::cast::{INSTANCES, MORTAL, Service, Zone};
use super::fault::Fault;
use super::resource::Instance;
use super::settings::ShopSettings;
use crate::traffic::random::Random;

/// Ways between processes take at least so many microseconds, and so many more by chance.
const SAME_HOST_US: (u64, u64) = (20, 20);
const SAME_ZONE_US: (u64, u64) = (110, 130);
const OTHER_ZONE_US: (u64, u64) = (270, 260);
const OTHER_REGION_US: (u64, u64) = (44_000, 3_000);
/// One message in a hundred waits in some queue, up to so long.
const TAIL_PER_MILLE: u64 = 10;
const TAIL_US_MAX: u64 = 2_000;

#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: ShopSettings,
    /// Never empty.
    pub(super) instances: Vec<Instance>,
    pub(super) nobody: Instance,
}

impl World {
    pub(super) fn instance(&self, instance: usize) -> &Instance {
        self.instances.get(instance).unwrap_or(&self.nobody)
    }

    /// The instances that callers know of.
    pub(super) fn instances_of(&self, service: Service) -> std::ops::Range<usize> {
        let first = INSTANCES.iter().position(|line| line.service == service).unwrap_or_default();
        first..first + INSTANCES.iter().filter(|line| line.service == service).count()
    }

    /// Whether nobody answers at this address any more.
    pub(super) fn is_dead(&self, instance: usize, now_ns: i64) -> bool {
        let dies = self.settings.faults.contains(Fault::DeadEndpoint)
            && INSTANCES.get(instance).is_some_and(|line| (line.service, line.nth) == MORTAL);
        dies && now_ns >= self.death_ns()
    }

    /// When the instance that dies does.
    pub(super) fn death_ns(&self) -> i64 {
        self.settings.start_unix_ns.saturating_add(self.settings.death_after_ns)
    }

    /// How long a message takes from one instance to another.
    pub(super) fn way_ns(&self, from: usize, to: usize, random: &mut Random) -> i64 {
        let (from, to) = (self.instance(from), self.instance(to));
        let is_abroad = |of: &Instance| of.zone == Zone::Virginia;
        let (least_us, more_us) = if from.host_idx == to.host_idx {
            SAME_HOST_US
        } else if is_abroad(from) != is_abroad(to) {
            OTHER_REGION_US
        } else if from.zone == to.zone {
            SAME_ZONE_US
        } else {
            OTHER_ZONE_US
        };
        let tail_us =
            if random.chance(TAIL_PER_MILLE) { random.between(0, TAIL_US_MAX) } else { 0 };
        let ns = (least_us + tail_us) * 1_000 + random.between(0, more_us * 1_000);
        ns.cast_signed()
    }
}
