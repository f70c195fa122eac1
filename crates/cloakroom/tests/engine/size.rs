//! Sessions that grow too large: a clear error that names the culprit, and nobody else suffers.

use cloakroom::{Answer, MemorySessionStorage, SessionError};
use cloakroom_testkit::ManualClock;

use crate::house::House;
use crate::storages::Moody;

const LIMIT: usize = 2048;

fn small_house() -> (House, Moody) {
    let memory = MemorySessionStorage::builder().max_session_bytes(LIMIT).build().unwrap();
    let moody = Moody::new(memory);
    (House::on(moody.clone(), ManualClock::new(), |_| {}), moody)
}

fn assert_too_large(error: &SessionError, culprit: &str) {
    let SessionError::TooLarge { size, limit, field } = error else { panic!("{error}") };
    assert!(*size > LIMIT && *limit == LIMIT && field == culprit, "{error}");
}

#[tokio::test]
async fn an_oversized_session_names_its_largest_field_and_leaves_the_stored_one() {
    let (house, _) = small_house();
    let scope = house.begin(None);
    let session = scope.handle().load().await.unwrap();
    session.insert("small", "x").unwrap();
    session.insert("large", "x".repeat(LIMIT)).unwrap();
    assert_too_large(&scope.finish(Answer::Ordinary).await.unwrap_err(), "large");

    let cookie = house.visitor().await;
    let scope = house.begin(&cookie);
    scope.handle().load().await.unwrap().insert("large", "x".repeat(LIMIT)).unwrap();
    assert_too_large(&scope.finish(Answer::Ordinary).await.unwrap_err(), "large");
    let record = house.record(&cookie).await.unwrap();
    assert_eq!((record.generation().number(), record.field("large")), (1, None));
}

#[tokio::test]
async fn an_oversized_request_does_not_fail_those_that_go_out_with_it() {
    let (house, moody) = small_house();
    let cookie = house.visitor().await;
    let mut scopes = Vec::new();
    for number in 0..4 {
        let scope = house.begin(&cookie);
        let session = scope.handle().load().await.unwrap();
        let value = "x".repeat(if number == 2 { LIMIT } else { 10 });
        session.insert(&format!("field-{number}"), value).unwrap();
        scopes.push(scope);
    }
    moody.close_gate();
    let finishing: Vec<_> =
        scopes.into_iter().map(|scope| tokio::spawn(scope.finish(Answer::Ordinary))).collect();
    moody.arrivals(2).await;
    moody.open_gate();
    for (number, finished) in finishing.into_iter().enumerate() {
        match finished.await.unwrap() {
            Ok(finished) => assert!(finished.cookie().is_none() && number != 2),
            Err(error) => {
                assert_eq!(number, 2);
                assert_too_large(&error, "field-2");
            }
        }
    }
    let mut names = house.look(&cookie, |session| session.field_names()).await;
    names.sort();
    assert_eq!(names, ["colour", "field-0", "field-1", "field-3"]);
}
