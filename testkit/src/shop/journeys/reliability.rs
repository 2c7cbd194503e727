//! Calls that fail, are repeated, given up, or made without anybody knowing.

use super::super::attributes::Sql;
use super::super::calls::Call;
use super::super::cast::Service;
use super::super::fault::Fault;
use super::super::plan::{At, Outcome, Planner};
use super::{bad_gateway, daily};

const VOUCHER: Sql = Sql::new(
    "SELECT",
    "vouchers",
    "SELECT v.code, v.kind, v.value, v.expires_at FROM vouchers v WHERE v.code = %s",
);
const SALES: Sql = Sql::new(
    "SELECT",
    "sales",
    "SELECT date_trunc('day', s.sold_at), sum(s.total_minor) FROM sales s WHERE s.sold_at > $1 GROUP BY 1",
);
const REFUND: Sql = Sql::new(
    "INSERT",
    "refunds",
    "INSERT INTO refunds (id, payment_id, amount_minor, reason) VALUES (?, ?, ?, ?)",
);
const SETTINGS: Sql =
    Sql::new("SELECT", "settings", "SELECT s.key, s.value FROM settings s WHERE s.user_id = %s");

const UNAVAILABLE: Outcome = Outcome::failed(503, "503", "service unavailable");
/// Pauses before attempts that do back off, each half as long again by chance.
const BACKOFF_US: [u64; 2] = [60_000, 180_000];
/// The gateway waits for nobody longer.
const REPORT_TIMEOUT_NS: i64 = 400_000_000;
const REFUND_TIMEOUT_NS: i64 = 800_000_000;

pub(super) fn voucher(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/vouchers/{code}"), |p, at| {
        let call = Call::new(Service::User, "GET", "/vouchers/{code}");
        let failures = if p.strikes(Fault::RetryWithoutBackoff) { 3 } else { 0 };
        for attempt in 0..failures {
            let call = Call { resend_count: attempt, ..call.clone() };
            p.call(at, &call, |p, at| {
                p.work(at, "check limits", 2_500);
                UNAVAILABLE
            });
            at.wait_us(20_000);
        }
        let call = Call { resend_count: failures, ..call };
        bad_gateway(p.call(at, &call, |p, at| {
            p.query(at, &VOUCHER, 2_800);
            Outcome::OK
        }))
    });
}

pub(super) fn gift_card(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("POST", "/gift-cards"), |p, at| {
        let fails = p.strikes(Fault::RetryStorm);
        let mut outcome = Outcome::OK;
        for attempt in 0..3 {
            let call = Call::new(Service::Payment, "POST", "/gift-cards");
            let call = Call { resend_count: attempt, ..call };
            outcome = p.call(at, &call, |p, at| issues_card(p, at, fails));
            if outcome.is_ok() {
                break;
            }
            backs_off(p, at, attempt);
        }
        bad_gateway(outcome)
    });
}

fn issues_card(p: &mut Planner<'_>, at: &mut At, fails: bool) -> Outcome {
    let answer = if fails { UNAVAILABLE } else { Outcome::OK };
    for attempt in 0..3 {
        p.external(at, "api.cards.example", "/v1/issue", 24_000, answer);
        if answer.is_ok() {
            return Outcome::OK;
        }
        backs_off(p, at, attempt);
    }
    Outcome::failed(503, "503", "the card issuer is not available")
}

fn backs_off(p: &mut Planner<'_>, at: &mut At, attempt: u64) {
    let pause_us = usize::try_from(attempt).ok().and_then(|nth| BACKOFF_US.get(nth));
    if let Some(pause_us) = pause_us {
        at.now_ns += p.took_ns(*pause_us);
    }
}

pub(super) fn report(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/reports/sales"), |p, at| {
        let is_slow = p.strikes(Fault::WorkAfterGivingUp);
        let call = Call::new(Service::Catalogue, "GET", "/reports/sales");
        let call = Call { timeout_ns: Some(REPORT_TIMEOUT_NS), ..call };
        bad_gateway(p.call(at, &call, |p, at| {
            if !is_slow {
                p.query(at, &SALES, 120_000);
                return Outcome::OK;
            }
            let took_ns = p.random.between(1_000_000_000, 1_300_000_000).cast_signed();
            p.query_for(at, &SALES, took_ns);
            let (kind, message) = ("java.io.IOException", "Broken pipe");
            p.exception(at.span, at.now_ns, kind, message);
            Outcome::failed(500, kind, message)
        }))
    });
}

pub(super) fn refund(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("POST", "/refunds"), |p, at| {
        let loses_answer = p.strikes(Fault::AmbiguousOutcome);
        let call = Call::new(Service::Payment, "POST", "/refunds");
        let call = Call { timeout_ns: Some(REFUND_TIMEOUT_NS), loses_answer, ..call };
        bad_gateway(p.call(at, &call, |p, at| {
            p.query(at, &REFUND, 3_200);
            p.external(at, "api.acquirer.example", "/v2/refunds", 38_000, Outcome::OK);
            Outcome::OK
        }))
    });
}

pub(super) fn account_settings(p: &mut Planner<'_>, at_ns: i64) {
    p.through_gateway(at_ns, ("GET", "/settings"), |p, at| {
        let call = Call::new(Service::User, "GET", "/users/{id}/settings");
        bad_gateway(p.call(at, &call, |p, at| {
            if !p.strikes(Fault::ErrorOrigin) {
                p.query(at, &SETTINGS, 3_000);
                return daily::reads_user(p, at);
            }
            let (kind, message) =
                ("psycopg.OperationalError", "connection to pg-user.data.internal refused");
            p.query_fails(at, &SETTINGS, Outcome::failed(0, kind, message));
            p.exception(at.span, at.now_ns, kind, message);
            Outcome::failed(500, kind, message)
        }))
    });
}
