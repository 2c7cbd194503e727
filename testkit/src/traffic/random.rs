//! SplitMix64: small, fast, and the same on every machine, so that a seed means one traffic for good.

/// A source of numbers that only the seed decides.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `from..to`; the bias of a product instead of a remainder is far below notice.
    pub(crate) fn between(&mut self, from: u64, to: u64) -> u64 {
        from + ((u128::from(self.bits()) * u128::from(to - from)) >> 64) as u64
    }

    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.between(0, 1000) < per_mille
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.between(0, from.len() as u64) as usize]
    }

    /// A skewed number below `to`: small ones are popular, as customers and products are.
    pub(crate) fn popular(&mut self, to: u64) -> u64 {
        let bound = self.between(1, to + 1);
        self.between(0, bound)
    }

    /// A duration around the median, usually within a factor of three, one in a hundred ten times as long.
    pub(crate) fn duration_ns(&mut self, median_us: u64) -> u64 {
        let unit = |bits: u64| (bits >> 11) as f64 / (1u64 << 53) as f64;
        let spread = unit(self.bits()) + unit(self.bits()) + unit(self.bits()) - 1.5;
        let tail = if self.chance(10) { 10.0 } else { 1.0 };
        (median_us as f64 * 1000.0 * spread.exp2() * tail) as u64
    }

    /// A trace id; OTLP forbids all zeros.
    pub(crate) fn trace_id(&mut self) -> Vec<u8> {
        let mut id = self.span_id();
        id.extend_from_slice(&self.bits().to_be_bytes());
        id
    }

    /// A span id; OTLP forbids all zeros.
    pub(crate) fn span_id(&mut self) -> Vec<u8> {
        self.bits().max(1).to_be_bytes().to_vec()
    }

    /// A UUID of version 4, as text.
    pub(crate) fn uuid(&mut self) -> String {
        let (a, b) = (self.bits(), self.bits());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (b >> 50),
            b & 0xffff_ffff_ffff
        )
    }
}
