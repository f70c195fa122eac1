//! Tickets are found among any neighbours, and `Set-Cookie` is what browsers expect to the letter.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::policy::Policy;

const NAME: &str = "__Host-id";

fn found(headers: &[&[u8]]) -> Candidates {
    let mut candidates = Candidates::default();
    headers.iter().for_each(|header| candidates.read(header, &Finder::new(NAME)));
    candidates
}

fn texts(candidates: &Candidates) -> Vec<String> {
    candidates.tokens().map(|token| token.encode()).collect()
}

fn ticket() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_-]{64}"
}

/// A cookie that is not ours, sound or not, without the semicolon that would end it.
fn neighbour() -> impl Strategy<Value = Vec<u8>> {
    let sound = "[a-zA-Z]{1,8}=[a-z0-9]{0,8}".prop_map(String::into_bytes);
    let odd = prop::sample::select(vec![
        b"".to_vec(),
        b"=".to_vec(),
        b"   ".to_vec(),
        b"\t".to_vec(),
        b"a=\"x".to_vec(),
        b"\"\"=\"\"".to_vec(),
        b"a=\xff\xfe\x00".to_vec(),
        b"\xc3\x28=1".to_vec(),
        b"__Host-id".to_vec(),
        b"__Host-id2=AAAA".to_vec(),
        b"x__Host-id=AAAA".to_vec(),
        b"__host-id=AAAA".to_vec(),
        b"a=b=c==".to_vec(),
    ]);
    let noise = prop::collection::vec(any::<u8>(), 0..20)
        .prop_map(|noise| noise.into_iter().filter(|byte| *byte != b';').collect());
    prop_oneof![sound, odd, noise]
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        headers in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..4),
        name in ".{0,12}",
    ) {
        let mut candidates = Candidates::default();
        headers.iter().for_each(|header| candidates.read(header, &Finder::new(&name)));
        prop_assert!(candidates.tokens().count() <= MAX_CANDIDATES);
    }

    #[test]
    fn our_ticket_is_found_among_any_neighbours(
        ticket in ticket(),
        before in prop::collection::vec(neighbour(), 0..8),
        after in prop::collection::vec(neighbour(), 0..8),
        space in "[ \t]{0,2}",
    ) {
        let ours = format!("{space}{NAME}{space}={space}{ticket}{space}").into_bytes();
        let pairs = [before, vec![ours], after].concat();
        let candidates = found(&[&pairs.join(&b';')]);
        prop_assert_eq!(texts(&candidates), [ticket]);
    }

    #[test]
    fn looking_for_the_name_finds_what_a_look_at_each_pair_would(
        pieces in prop::collection::vec(
            prop_oneof![
                Just(NAME.to_owned()), Just("=".to_owned()), Just(";".to_owned()),
                Just(" ".to_owned()), Just("__Host".to_owned()), ticket(),
            ],
            0..16,
        ),
    ) {
        let header = pieces.concat();
        let ours = header.split(';').filter_map(|pair| {
            pair.trim().strip_prefix(NAME)?.trim_start().strip_prefix('=').map(str::trim_start)
        });
        let (tickets, others): (Vec<_>, Vec<_>) =
            ours.partition(|value| Token::parse(value.as_bytes()).is_some());
        let candidates = found(&[header.as_bytes()]);
        prop_assert_eq!(texts(&candidates), tickets.into_iter().take(MAX_CANDIDATES).collect::<Vec<_>>());
        prop_assert_eq!(candidates.has_malformed(), !others.is_empty());
    }

    #[test]
    fn several_headers_are_read_as_one(tickets in prop::collection::vec(ticket(), 1..4)) {
        let headers: Vec<_> = tickets.iter().map(|ticket| format!("{NAME}={ticket}")).collect();
        let split: Vec<_> = headers.iter().map(String::as_bytes).collect();
        prop_assert_eq!(texts(&found(&split)), tickets.clone());
        prop_assert_eq!(texts(&found(&[headers.join("; ").as_bytes()])), tickets);
    }

    #[test]
    fn a_value_that_is_no_ticket_is_malformed_and_nothing_else(value in "[A-Za-z0-9_=+/\" -]{0,130}") {
        prop_assume!(Token::parse(value.trim().as_bytes()).is_none());
        let candidates = found(&[format!("{NAME}={value}").as_bytes()]);
        prop_assert!(candidates.has_malformed() && !candidates.has_ignored());
        prop_assert_eq!(candidates.tokens().count(), 0);
    }

    #[test]
    fn only_the_very_name_is_ours(name in "[a-zA-Z_-]{1,12}", ticket in ticket()) {
        prop_assume!(name != NAME);
        let candidates = found(&[format!("{name}={ticket}").as_bytes()]);
        prop_assert!(candidates.tokens().next().is_none() && !candidates.has_malformed());
    }

    #[test]
    fn what_is_handed_out_is_found_again(persistent in prop::option::of(1..100_000u64)) {
        let token = Token::generate().unwrap();
        let max_age = persistent.map(Duration::from_secs);
        let header = hand_out(&Policy::default().cookie, &token, max_age);
        let sent_back = header.split(';').next().unwrap();
        prop_assert_eq!(texts(&found(&[sent_back.as_bytes()])), [token.encode()]);
    }
}

#[test]
fn names_that_begin_or_end_like_ours_and_other_cases_do_not_match() {
    let ticket = "A".repeat(64);
    for name in ["__Host-id2", "x__Host-id", "__Host-i", "__host-id", "__HOST-ID", "id", ""] {
        let candidates = found(&[format!("{name}={ticket}").as_bytes()]);
        assert!(candidates.tokens().next().is_none() && !candidates.has_malformed(), "{name}");
    }
}

#[test]
fn a_hundred_cookies_of_our_name_give_four_tickets() {
    let tickets: Vec<_> = (0..100).map(|at| format!("{NAME}={at:0>64}")).collect();
    let candidates = found(&[tickets.join("; ").as_bytes()]);
    assert!(candidates.has_ignored());
    let wanted: Vec<_> = (0..4).map(|at| format!("{at:0>64}")).collect();
    assert_eq!(texts(&candidates), wanted, "the first ones");
    let exactly_four = found(&[tickets[..4].join("; ").as_bytes()]);
    assert!(!exactly_four.has_ignored());
}

#[test]
fn garbage_of_a_tickets_length_is_malformed() {
    for garbage in ["=", "+", "/", ".", "é"] {
        let value = garbage.repeat(64 / garbage.len());
        let candidates = found(&[format!("{NAME}={value}").as_bytes()]);
        assert!(candidates.has_malformed() && candidates.tokens().next().is_none());
    }
}

#[test]
fn ten_megabytes_of_cookies_are_cut_off() {
    let ticket = format!("; {NAME}={}", "A".repeat(64));
    let early = [ticket.as_bytes(), &b";a=b".repeat(2_500_000)].concat();
    let late = [&b"a=b;".repeat(2_500_000)[..], ticket.as_bytes()].concat();
    let start = Instant::now();
    let candidates = found(&[&early]);
    assert_eq!(texts(&candidates).len(), 1, "a ticket at the beginning is still found");
    assert!(candidates.has_ignored());
    let candidates = found(&[&late, ticket.as_bytes(), ticket.as_bytes()]);
    assert!(candidates.tokens().next().is_none() && candidates.has_ignored());
    // 64 KiB take microseconds; the bound is for a busy machine without optimisation.
    assert!(start.elapsed() < Duration::from_millis(250), "{:?}", start.elapsed());
}

fn cookie(change: impl FnOnce(&mut Policy)) -> CookiePolicy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy.check().unwrap();
    policy.effective().cookie
}

#[track_caller]
fn assert_rendered(policy: &CookiePolicy, max_age: Option<u64>, wanted: &str) {
    let token = Token::parse(&[b'A'; 64]).unwrap();
    let header = hand_out(policy, &token, max_age.map(Duration::from_secs));
    assert_eq!(header.replace(&"A".repeat(64), "TICKET"), wanted);
    // A browser takes a cookie away only under the attributes that it was set with.
    let (attributes, _) = wanted.split_once("; Max-Age").unwrap_or((wanted, ""));
    assert_eq!(take_away(policy), attributes.replace("TICKET", "") + "; Max-Age=0");
}

#[test]
fn the_default_cookie_is_the_advice_for_production() {
    let policy = cookie(|_| {});
    assert_rendered(&policy, None, "__Host-id=TICKET; Path=/; Secure; HttpOnly; SameSite=Lax");
    let kept = "__Host-id=TICKET; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1209600";
    assert_rendered(&policy, Some(1_209_600), kept);
}

#[test]
fn the_cookie_for_local_development_works_over_plain_http() {
    let policy = cookie(|policy| policy.local_plain_http = true);
    assert_rendered(&policy, None, "id=TICKET; Path=/; HttpOnly; SameSite=Lax");
    let policy = cookie(|policy| {
        policy.local_plain_http = true;
        policy.cookie.name = "__Secure-shop".into();
    });
    assert_rendered(&policy, None, "shop=TICKET; Path=/; HttpOnly; SameSite=Lax");
}

#[test]
fn same_site_is_written_as_the_policy_says() {
    for (same_site, text) in
        [(SameSite::Strict, "Strict"), (SameSite::Lax, "Lax"), (SameSite::None, "None")]
    {
        let policy = cookie(|policy| policy.cookie.same_site = same_site);
        let wanted = format!("__Host-id=TICKET; Path=/; Secure; HttpOnly; SameSite={text}");
        assert_rendered(&policy, None, &wanted);
    }
}

#[test]
fn path_and_domain_stand_in_the_cookie_and_in_its_removal() {
    let policy = cookie(|policy| {
        policy.cookie.name = "__Secure-shop".into();
        policy.cookie.path = "/shop".into();
        policy.cookie.domain = Some("example.org".into());
    });
    let wanted = "__Secure-shop=TICKET; Domain=example.org; Path=/shop; Secure; HttpOnly; \
                  SameSite=Lax; Max-Age=60";
    assert_rendered(&policy, Some(60), wanted);
}
