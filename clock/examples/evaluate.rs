//! x
#![allow(missing_docs, clippy::all)]
use causeway_clock::sim::*;
fn main() {
    let mut bad = 0;
    let args: Vec<f64> = std::env::args().skip(1).map(|a| a.parse().unwrap()).collect();
    for (name, levels) in
        [("stock", Level::Stock), ("tags", Level::Tags), ("responds", Level::Responds)]
    {
        let (mut wrong, mut unc, mut two, mut hw, mut one) = (0, 0, 0, vec![], 0);
        let mut seeds = vec![];
        for seed in 0..400u64 {
            let mut r = Random::new(seed);
            let world = World {
                seed,
                nodes: 3 + r.below(6) as usize,
                levels: vec![levels],
                duration_ns: 2_500_000_000,
                shape: if r.chance(0.5) { Shape::Layered } else { Shape::Mesh },
                traces_per_s: r.between(20.0, 80.0),
                offset_sd_ns: args[0] * 1e6,
                rate_ppm_max: args[1],
                late_share: 0.1,
                ..World::default()
            };
            let run = Run::play(&world);
            let m = Measure { pairs_per_trace: 40, ..Measure::default() }.run(&run).unwrap();
            let u = m.intervals.two_sided - m.intervals.contained;
            wrong += m.total(Method::Bounded).wrong;
            unc += u;
            two += m.intervals.two_sided;
            one += m.intervals.one_sided;
            bad += m.total(Method::Proven).wrong;
            hw.extend(m.intervals.half_widths_ns);
            if u > 0 {
                seeds.push(seed);
            }
        }
        hw.sort();
        println!(
            "{name}: wrong bounded {wrong}, uncontained {unc} of {two}, one-sided {one}, half {:?} {seeds:?} wrong proofs {bad}",
            hw.get(hw.len() / 2)
        );
    }
}
