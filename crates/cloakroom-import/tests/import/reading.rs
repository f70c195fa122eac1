//! What tower-sessions, actix-session and connect-redis have written.

use std::time::Duration;

use cloakroom::Timestamp;
use cloakroom_import::{Library, OldSession, OwnerField, Raw, RawValue, Unreadable};
use serde_json::{Value, json};

use crate::fixtures::{Case, case, read};

fn owner(session: &OldSession, path: &str) -> Option<String> {
    OwnerField::new(path).find(session)
}

#[test]
fn a_record_of_tower_sessions_is_read_whole() {
    for name in ["plain", "signed", "private"] {
        let session = read(Library::TowerSessions, &case(Library::TowerSessions, name)).unwrap();
        let expected = json!({
            "count": 7,
            "cart": [{ "article": "umbrella", "price": 12.5, "big": 9_007_199_254_740_993u64 }, null, true],
            "axum-login.data": { "user_id": "ada", "auth_hash": [1, 2, 255] },
            "n": u64::MAX,
        });
        assert_eq!(Value::from(session.fields.clone()), expected);
        assert_eq!(owner(&session, "axum-login.data.user_id").as_deref(), Some("ada"));
        assert_eq!(session.time_left, Some(Duration::from_secs(60)), "what the server says");
    }
}

#[test]
fn a_record_whose_key_does_not_expire_has_its_own_date() {
    let case = case(Library::TowerSessions, "plain");
    let raw = Raw { id: &case.name, value: RawValue::Text(&case.value), time_left: None };
    let now = Timestamp::from_millis(3_999_999_990_000);
    let session = Library::TowerSessions.read(&raw, now).unwrap();
    assert_eq!(session.time_left, Some(Duration::from_secs(10)));
    let later = Timestamp::from_millis(5_000_000_000_000);
    let session = Library::TowerSessions.read(&raw, later).unwrap();
    assert_eq!(session.time_left, Some(Duration::ZERO));
}

#[test]
fn a_map_of_actix_session_is_read_whole() {
    for name in ["private", "signed"] {
        let session = read(Library::ActixSession, &case(Library::ActixSession, name)).unwrap();
        let cart = json!([{ "article": "umbrella", "price": 12.5 }]);
        let expected = json!({ "count": 7, "cart": cart, "actix_identity.user_id": "ada" });
        assert_eq!(Value::from(session.fields.clone()), expected);
        assert_eq!(owner(&session, "actix_identity.user_id").as_deref(), Some("ada"));
    }
}

#[test]
fn an_object_of_express_session_is_read_without_its_cookie() {
    for (name, is_remembered) in [("kept", true), ("browser", false)] {
        let session = read(Library::ConnectRedis, &case(Library::ConnectRedis, name)).unwrap();
        let expected = json!({
            "count": 7,
            "cart": [{ "article": "umbrella", "price": 12.5 }, null, true],
            "passport": { "user": "ada" },
            "seen": "1970-01-01T00:00:00.000Z",
            "name": "Grüße 🌂",
        });
        assert_eq!(Value::from(session.fields.clone()), expected);
        assert_eq!(session.is_remembered, is_remembered);
        assert_eq!(owner(&session, "passport.user").as_deref(), Some("ada"));
    }
}

#[test]
fn what_is_cut_or_something_else_is_unreadable_and_not_shown() {
    for (library, name) in [
        (Library::TowerSessions, "plain"),
        (Library::ActixSession, "signed"),
        (Library::ConnectRedis, "kept"),
    ] {
        let whole = case(library, name);
        for end in 0..whole.value.len() {
            let cut = Case { value: whole.value[..end].to_vec(), ..case(library, name) };
            assert!(
                matches!(read(library, &cut), Err(Unreadable::Malformed(_))),
                "{library} {end}"
            );
        }
        for value in [&b"{}x"[..], b"null", b"[]", b"\"s3cret\"", b"\xff"] {
            let other = Case { value: value.to_vec(), ..case(library, name) };
            let error = read(library, &other).unwrap_err();
            assert!(!error.to_string().contains("s3cret"));
        }
    }
}

#[test]
fn a_record_of_another_key_is_refused() {
    let moved = Case { name: "A".repeat(22), ..case(Library::TowerSessions, "plain") };
    assert_eq!(read(Library::TowerSessions, &moved).unwrap_err(), Unreadable::OtherId);
}

#[test]
fn keys_of_others_are_no_sessions() {
    let id = "00000000-0000-0000-0000-000000000000";
    for (library, name) in [
        (Library::TowerSessions, "A".repeat(23)),
        (Library::TowerSessions, "!".repeat(22)),
        (Library::ActixSession, "-".repeat(64)),
        (Library::ConnectRedis, "sess:".to_owned()),
        (Library::SpringSession, format!("spring:session:sessions:expires:{id}")),
        (Library::SpringSession, format!("other:{id}")),
    ] {
        assert_eq!(library.id_in(name.as_bytes(), library.usual_prefix()), None, "{name}");
    }
    let name = format!("spring:session:sessions:{id}");
    let library = Library::SpringSession;
    assert_eq!(library.id_in(name.as_bytes(), library.usual_prefix()), Some(id));
}
