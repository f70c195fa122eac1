//! The cookies that the other libraries have set, and forged ones.

use cloakroom::{ConfigErrorKind, OldCookie};
use cloakroom_import::{Library, LibraryCookie, Seal};

use crate::fixtures::{Case, KEY, case};

fn assert_opens(library: Library, cookie: &LibraryCookie, case: &Case) {
    assert_eq!(cookie.name(), case.cookie_name);
    let id = library.id_in(case.name.as_bytes(), library.usual_prefix()).unwrap();
    assert_eq!(cookie.read(case.cookie.as_bytes()), Some(library.session_id(id)));
}

/// Every byte of the value counts, and so does its length.
fn assert_sealed(cookie: &LibraryCookie, case: &Case) {
    for at in 0..case.cookie.len() {
        let mut forged = case.cookie.clone().into_bytes();
        forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
        assert_eq!(cookie.read(&forged), None, "byte {at}");
        assert_eq!(cookie.read(&forged[..at]), None, "{at} bytes");
    }
}

#[test]
fn cookies_of_tower_sessions_open_their_sessions() {
    let library = Library::TowerSessions;
    for (name, seal) in [
        ("plain", None),
        ("signed", Some(Seal::signed(KEY).unwrap())),
        ("private", Some(Seal::private(KEY).unwrap())),
    ] {
        let cookie = LibraryCookie::tower_sessions(seal);
        let case = case(library, name);
        assert_opens(library, &cookie, &case);
        if name != "plain" {
            assert_sealed(&cookie, &case);
        }
    }
}

#[test]
fn cookies_of_actix_session_open_their_sessions() {
    let library = Library::ActixSession;
    for (name, seal) in
        [("signed", Seal::signed(KEY).unwrap()), ("private", Seal::private(KEY).unwrap())]
    {
        let cookie = LibraryCookie::actix_session(seal);
        assert_opens(library, &cookie, &case(library, name));
        assert_sealed(&cookie, &case(library, name));
    }
}

#[test]
fn cookies_of_express_session_open_their_sessions_under_any_of_the_secrets() {
    let library = Library::ConnectRedis;
    let case = case(library, "kept");
    for secrets in [vec!["second secret"], vec!["newer", "second secret"]] {
        let cookie = LibraryCookie::express_session(secrets).unwrap();
        assert_opens(library, &cookie, &case);
        assert_sealed(&cookie, &case);
    }
    let other = LibraryCookie::express_session(["first secret"]).unwrap();
    assert_eq!(other.read(case.cookie.as_bytes()), None);
}

#[test]
fn a_secret_that_anybody_knows_is_refused() {
    for secrets in [&[][..], &[""], &["second secret", ""]] {
        let error = LibraryCookie::express_session(secrets).unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::Invalid, "{secrets:?}: {error}");
    }
}

#[test]
fn cookies_of_spring_open_their_sessions() {
    let id = "2f1d6f3c-9f0e-4d0a-8a29-2f63a0a2a3a1";
    let expected = Some(Library::SpringSession.session_id(id));
    // As Spring's serialiser writes it: base64 of the id.
    let value = b"MmYxZDZmM2MtOWYwZS00ZDBhLThhMjktMmY2M2EwYTJhM2Ex";
    assert_eq!(LibraryCookie::spring_session().read(value), expected);
    let routed = b"MmYxZDZmM2MtOWYwZS00ZDBhLThhMjktMmY2M2EwYTJhM2ExLm5vZGUx";
    let cookie = LibraryCookie::spring_session_on_route("node1");
    assert_eq!(cookie.read(routed), expected);
    for value in [&b""[..], b"=", b"\xff", b"ZXhwaXJlczphYmM="] {
        assert_eq!(LibraryCookie::spring_session().read(value), None);
    }
}

#[test]
fn another_key_opens_nothing_and_a_short_one_is_refused() {
    let other = [7; 64];
    for (seal, name) in [
        (Some(Seal::signed(&other).unwrap()), "signed"),
        (Some(Seal::private(&other).unwrap()), "private"),
        (None, "signed"),
        (Some(Seal::signed(KEY).unwrap()), "plain"),
        (Some(Seal::private(KEY).unwrap()), "signed"),
    ] {
        let case = case(Library::TowerSessions, name);
        assert_eq!(LibraryCookie::tower_sessions(seal).read(case.cookie.as_bytes()), None);
    }
    assert!(Seal::signed(&KEY[..63]).is_err() && Seal::private(b"").is_err());
}

#[test]
fn an_encrypted_cookie_counts_under_its_own_name_only() {
    let cookie = LibraryCookie::actix_session(Seal::private(KEY).unwrap()).named("other");
    assert_eq!(cookie.read(case(Library::ActixSession, "private").cookie.as_bytes()), None);
}
