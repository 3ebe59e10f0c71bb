use super::*;

#[test]
fn a_sample_is_decided_as_early_as_possible() {
    let probe = Probe::sample(10, 0.3).in_flight(10);
    let mut period = HalfOpen::default();
    for failed in 0..2 {
        assert_eq!(period.after_failures(&probe, 1), ProbeDecision::Undecided, "{failed}");
        let serial = period.lease(Nanos::from_u64(1));
        period.end_probe(serial, Some(false));
    }
    assert_eq!(period.after_failures(&probe, 1), ProbeDecision::Reopens);
    for succeeded in 0..7 {
        assert_eq!(period.after_success(&probe), ProbeDecision::Undecided, "{succeeded}");
        let serial = period.lease(Nanos::from_u64(1));
        period.end_probe(serial, Some(true));
    }
    assert_eq!(period.after_success(&probe), ProbeDecision::Recovers);
}

#[test]
fn a_sample_starts_no_probe_that_cannot_matter() {
    let probe = Probe::sample(3, 0.5).in_flight(2);
    let mut period = HalfOpen::default();
    assert_eq!(period.free(&probe), 2);
    for _ in 0..2 {
        let serial = period.lease(Nanos::from_u64(1));
        period.end_probe(serial, Some(true));
    }
    assert_eq!(period.free(&probe), 1);
}

#[test]
fn a_ramp_spreads_its_calls_evenly() {
    for percent in [1, 10, 25, 33, 50, 99, 100] {
        let passed = (0..1_000).filter(|asked| ramp_admits(*asked, percent)).count();
        assert_eq!(passed, usize::from(percent) * 10);
        // Miri is slow.
        for start in (0..900).step_by(if cfg!(miri) { 99 } else { 1 }) {
            let some = (start..start + 100).filter(|asked| ramp_admits(*asked, percent)).count();
            assert!(some.abs_diff(usize::from(percent)) <= 1, "{percent} % from {start}: {some}");
        }
    }
}

#[test]
fn leases_end_in_order_when_their_length_changes() {
    let mut period = HalfOpen::default();
    let [now, later] = [50, 100].map(Nanos::from_u64);
    let long = period.lease(later);
    let short = period.lease(now);
    assert_eq!((period.first_end(), period.expired(now)), (Some(now), 1));
    period.expire(now);
    let leases = period.leases();
    assert!(leases.is_in_time(long, now) && !leases.is_in_time(short, now));
}
