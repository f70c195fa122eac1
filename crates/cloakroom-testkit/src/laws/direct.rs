//! Sessions under names of the application's own: `get`, `set`, `delete`, `exists`, `stats`.

use cloakroom::{SessionData, SessionError, SessionKey, SessionStorage};

use super::sample::found;
use super::{Fixture, Settings};

/// Data with one field.
pub(super) fn holding(name: &str, value: &str) -> SessionData {
    let mut data = SessionData::new();
    data.insert(name, value).unwrap();
    data
}

/// One text field of what must be there.
pub(super) async fn text(storage: &impl SessionStorage, id: &str, field: &str) -> Option<String> {
    let data = storage.get(id, None).await.unwrap().expect("the session must be there");
    data.get::<String>(field).unwrap()
}

/// Set, get, exists and delete agree with each other.
pub async fn what_is_set_is_got_until_it_is_deleted(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    assert!(storage.get("ann", None).await.unwrap().is_none());
    assert!(!storage.exists("ann").await.unwrap());
    assert!(!storage.delete("ann").await.unwrap());

    storage.set("ann", &holding("colour", "green"), None).await.unwrap();
    assert_eq!(text(&storage, "ann", "colour").await.as_deref(), Some("green"));
    assert!(storage.exists("ann").await.unwrap());
    assert!(!storage.exists("bob").await.unwrap());
    assert!(!storage.backend_name().is_empty());

    assert!(storage.delete("ann").await.unwrap());
    assert!(storage.get("ann", None).await.unwrap().is_none());
    assert!(!storage.exists("ann").await.unwrap());
    assert!(!storage.delete("ann").await.unwrap());
}

/// New data replaces everything; data that was got changes only what was changed in it.
pub async fn new_data_replaces_and_loaded_data_merges(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    storage.set("ann", &holding("b", "2"), None).await.unwrap();
    assert_eq!(text(&storage, "ann", "a").await, None);

    let mut first = storage.get("ann", None).await.unwrap().unwrap();
    let mut second = storage.get("ann", None).await.unwrap().unwrap();
    first.insert("c", "3").unwrap();
    second.insert("d", "4").unwrap();
    second.remove("b");
    storage.set("ann", &first, None).await.unwrap();
    storage.set("ann", &second, None).await.unwrap();
    let data = storage.get("ann", None).await.unwrap().unwrap();
    let mut names = data.field_names();
    names.sort();
    assert_eq!(names, ["c", "d"]);
}

/// Writing an equal value is not a change.
pub async fn an_equal_value_is_not_a_change(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let mut data = storage.get("ann", None).await.unwrap().unwrap();
    data.insert("a", "1").unwrap();
    data.remove("b");
    assert!(!data.is_dirty());
    data.insert("a", "2").unwrap();
    assert!(data.is_dirty());
    data.insert("a", "1").unwrap();
    assert!(!data.is_dirty());
}

/// A name may hold anything, and no two names meet.
pub async fn any_text_is_a_good_name(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let long = "n".repeat(10_000);
    let names =
        ["", " ", "a", "A", "a\0", "a\r\nDEL x", "*", "a*", "[a]", "\u{1f9e5}", "../a", &long];
    for name in names {
        storage.set(name, &holding("name", name), None).await.unwrap();
    }
    for name in names {
        assert_eq!(text(&storage, name, "name").await.as_deref(), Some(name));
    }
    assert_eq!(storage.stats().await.unwrap().total_sessions, names.len() as u64);
}

/// Statistics count live sessions and the bytes of their records.
pub async fn stats_count_sessions_and_their_bytes(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    let empty = storage.stats().await.unwrap();
    assert_eq!((empty.total_sessions, empty.total_bytes), (0, 0));
    assert_eq!(empty.backend, storage.backend_name());
    assert!(!empty.backend_metrics.is_empty());

    let mut bytes = 0;
    for at in 0..25 {
        let id = format!("visitor-{at}");
        storage.set(&id, &holding("a", &"x".repeat(at * 7)), None).await.unwrap();
        bytes += found(&storage, &SessionKey::from_name(&id)).await.size() as u64;
    }
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.total_sessions, stats.total_bytes), (25, bytes));

    // A rewrite replaces its bytes, a delete takes them away.
    storage.set("visitor-24", &holding("a", ""), None).await.unwrap();
    storage.delete("visitor-0").await.unwrap();
    let mut bytes = 0;
    for at in 1..25 {
        let key = SessionKey::from_name(&format!("visitor-{at}"));
        bytes += found(&storage, &key).await.size() as u64;
    }
    let stats = storage.stats().await.unwrap();
    assert_eq!((stats.total_sessions, stats.total_bytes), (24, bytes));
}

/// A session that is too large names its largest field, whether it is new or has grown.
pub async fn an_oversized_session_names_its_largest_field(fixture: &impl Fixture) {
    let settings = Settings { max_session_bytes: 1000, ..Settings::default() };
    let storage = fixture.open(&settings).await;
    storage.set("ann", &holding("a", "1"), None).await.unwrap();
    let mut grown = storage.get("ann", None).await.unwrap().unwrap();
    grown.insert("cart", "x".repeat(1000)).unwrap();
    let mut new = holding("b", "1");
    new.insert("cart", "x".repeat(1000)).unwrap();
    for data in [&grown, &new] {
        match storage.set("ann", data, None).await {
            Err(SessionError::TooLarge { size, limit, field }) => {
                assert!(size > 1000);
                assert_eq!((limit, field.as_str()), (1000, "cart"));
            }
            other => panic!("{other:?}"),
        }
    }
    let data = storage.get("ann", None).await.unwrap().unwrap();
    assert_eq!(data.field_names(), ["a"]);
}

/// A value of another type is an error that names the field and the type, and not the value.
pub async fn a_decode_error_names_field_and_type_but_not_the_value(fixture: &impl Fixture) {
    let storage = fixture.open(&Settings::default()).await;
    storage.set("ann", &holding("colour", "tell nobody"), None).await.unwrap();
    let data = storage.get("ann", None).await.unwrap().unwrap();
    let error = data.get::<u32>("colour").unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(shown.contains("colour") && shown.contains("u32"), "{shown}");
    assert!(!shown.contains("tell") && !shown.contains("nobody"), "{shown}");
    assert_eq!(text(&storage, "ann", "colour").await.as_deref(), Some("tell nobody"));
}
