//! x
#![allow(missing_docs)]
use causeway_clock::offsets::OffsetSettings;
use causeway_clock::order::OrderSettings;
use causeway_clock::sim::*;
fn main() {
    let world = World::default();
    for (name, world) in [
        ("default", world.clone()),
        ("layered", World { shape: Shape::Layered, ..world.clone() }),
        ("requests", World { levels: vec![Level::Tags], ..world.clone() }),
        ("stock", World { levels: vec![Level::Stock], ..world.clone() }),
    ] {
        let t = std::time::Instant::now();
        let run = Run::play(&world);
        let played = t.elapsed();
        let t = std::time::Instant::now();
        for scope in [Scope::Trace, Scope::World] {
            let m = Measure { scope, ..Measure::default() }.run(&run).unwrap();
            println!(
                "{name} {} spans {} traces, played {played:?} measured {:?}",
                run.span_count(),
                run.traces.len(),
                t.elapsed()
            );
            for method in Method::ALL {
                let t = m.total(method);
                println!(
                    "  {method:?} {:.1}% wrong {:.3}% ({})",
                    100.0 * t.decided as f64 / t.asked as f64,
                    100.0 * t.wrong as f64 / t.decided.max(1) as f64,
                    t.wrong
                );
            }
            let i = &m.intervals;
            println!(
                "  two {} contained {} one {} inc {} none {} half {} limit {}",
                i.two_sided,
                i.contained,
                i.one_sided,
                i.inconsistent,
                i.unknown,
                i.half_widths_ns.get(i.half_widths_ns.len() / 2).unwrap_or(&0),
                i.limits_ns[i.limits_ns.len() / 2]
            );
        }
    }
}
