//! Stamps in the W3C header `tracestate`: the list member `hlc=1:<stamp>`, at the front.
//!
//! Other members are somebody else's: their order and their text stay as they are. Whatever else
//! stands under our key is replaced. A list that becomes too long loses whole members, never ours,
//! because a receiver may drop a header above the limits as a whole.

use crate::{Carried, Stamp};

/// Our key.
pub const KEY: &str = "hlc";
/// Members in a list.
pub const MEMBERS_MAX: usize = 32;
/// Characters of the whole list: W3C asks vendors to pass on so many, some drop what is longer.
pub const CHARS_MAX: usize = 512;
/// Members longer than this go first when a list is too long.
pub const LONG_MEMBER_CHARS: usize = 128;

/// What a list carries under our key, for [`Clock::receive`](crate::Clock::receive).
pub fn carried(tracestate: &str) -> Option<&str> {
    members(tracestate).find_map(|member| {
        let (key, value) = member.split_once('=')?;
        (key == KEY).then_some(value)
    })
}

/// The list with a stamp at its front, in place of whatever stood under our key.
pub fn with_stamp(tracestate: &str, stamp: Stamp) -> String {
    let ours = format!("{KEY}={}", Carried(stamp));
    let mut list: Vec<&str> = others(tracestate).collect();
    list.truncate(MEMBERS_MAX - 1);
    shorten(&mut list, CHARS_MAX - ours.len());
    list.insert(0, &ours);
    list.join(",")
}

/// The list without anything under our key.
pub fn without_stamp(tracestate: &str) -> String {
    others(tracestate).collect::<Vec<_>>().join(",")
}

fn members(tracestate: &str) -> impl Iterator<Item = &str> {
    tracestate
        .split(',')
        .map(|member| member.trim_matches([' ', '\t']))
        .filter(|member| !member.is_empty())
}

fn others(tracestate: &str) -> impl Iterator<Item = &str> {
    members(tracestate).filter(|member| key(member) != KEY)
}

fn key(member: &str) -> &str {
    member.split_once('=').map_or(member, |(key, _)| key)
}

/// Drops members until the rest, each with a comma, fits: long ones from the right, then any.
fn shorten(list: &mut Vec<&str>, chars_max: usize) {
    let mut chars: usize = list.iter().map(|member| member.len() + 1).sum();
    while chars > chars_max {
        let long = list.iter().rposition(|member| member.len() > LONG_MEMBER_CHARS);
        let Some(last) = long.or_else(|| list.len().checked_sub(1)) else {
            return;
        };
        chars -= list.remove(last).len() + 1;
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use proptest::prelude::*;

    use super::*;
    use crate::NodeId;

    const STAMP: Stamp = Stamp {
        node: NodeId(NonZeroU64::new(0xa11c_e000_0000_0001).expect("not zero")),
        hlc: 0x18b3_d491_c318_ed18,
        lead: 0,
    };
    const OURS: &str = "hlc=1:a11ce00000000001:18b3d491c318ed18";

    fn check(before: &str, after: &str) {
        assert_eq!(with_stamp(before, STAMP), after, "{before}");
    }

    #[test]
    fn own_member_moves_to_the_front() {
        check("", OURS);
        check("ot=th:0,vendor=x", &format!("{OURS},ot=th:0,vendor=x"));
        check("ot=th:0,hlc=old,vendor=x", &format!("{OURS},ot=th:0,vendor=x"));
        check(" hlc=a ,,\thlc , b=1=2 ,hlc=c", &format!("{OURS},b=1=2"));
        check("hlcx=1,xhlc=2", &format!("{OURS},hlcx=1,xhlc=2"));
    }

    #[test]
    fn the_first_member_is_read() {
        assert_eq!(carried(&format!("a=1,{OURS}")), OURS.strip_prefix("hlc="));
        assert_eq!(carried("hlc=1:x,hlc=1:y"), Some("1:x"));
        assert_eq!(carried("hlc"), None);
        assert_eq!(carried("a=hlc=1"), None);
        assert_eq!(carried(""), None);
    }

    #[test]
    fn the_last_of_too_many_members_goes() {
        let member = |i: usize| format!("k{i}=v");
        let list = |count: usize| (0..count).map(member).collect::<Vec<_>>().join(",");
        check(&list(31), &format!("{OURS},{}", list(31)));
        check(&list(32), &format!("{OURS},{}", list(31)));
        check(&format!("{},hlc=1:x", list(31)), &format!("{OURS},{}", list(31)));
    }

    #[test]
    fn long_members_go_first_then_those_at_the_right() {
        let long = format!("long={}", "x".repeat(200));
        let short = format!("short={}", "y".repeat(100));
        let last = format!("last={}", "z".repeat(100));
        let other = format!("other={}", "w".repeat(110));
        check(&[&*long, &short, &last, &other].join(","), &[OURS, &short, &last, &other].join(","));
        let full = format!("full={}", "v".repeat(CHARS_MAX - OURS.len() - 1 - 5));
        assert_eq!(with_stamp(&full, STAMP).len(), CHARS_MAX);
        check(&format!("{full}v"), OURS);
        let five = [&*short, &last, &other, &last, &short].join(",");
        check(&five, &[OURS, &short, &last, &other, &last].join(","));
    }

    #[test]
    fn nothing_of_ours_is_left_where_a_stamp_must_not_go() {
        assert_eq!(without_stamp(&format!("a=1, {OURS},b=2,hlc=x,hlc")), "a=1,b=2");
        assert_eq!(without_stamp(OURS), "");
    }

    proptest! {
        #[test]
        fn any_list_keeps_the_order_of_others(list in "([a-c,= \t]|hlc=?|[x-z]{40}|x{130}){0,40}") {
            let after = with_stamp(&list, STAMP);
            prop_assert!(after.len() <= CHARS_MAX);
            prop_assert_eq!(carried(&after), OURS.strip_prefix("hlc="));
            let kept: Vec<&str> = after.split(',').skip(1).collect();
            prop_assert!(kept.len() < MEMBERS_MAX);
            let mut rest = others(&list);
            for member in kept {
                prop_assert!(rest.any(|other| other == member), "{member} in {list}");
            }
            prop_assert_eq!(with_stamp(&after, STAMP), after);
        }

        #[test]
        fn any_text_at_all_is_answered(text in ".*") {
            let _ = carried(&text);
            let without = without_stamp(&text);
            prop_assert_eq!(carried(&without), None);
        }
    }
}
