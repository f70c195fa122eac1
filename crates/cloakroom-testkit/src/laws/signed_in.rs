//! What the laws about owners of sessions share: engines with a limit, and visitors who sign in.

use std::time::Duration;

use cloakroom::{
    Answer, AnyStorage, AtLimit, ConcurrentSessions, Engine, IndexEntry, LoadOutcome, OwnerKey,
    Policy, PublicId, Session, SessionError, SessionStorage, SetCookie, Token,
};

use super::{Fixture, Settings};
use crate::{FakeRequest, ticket_in};

/// Who signs in unless somebody else is named.
pub(super) const OWNER: &str = "ann@example.org";

pub(super) async fn engine_on(fixture: &impl Fixture, limit: Option<(u32, AtLimit)>) -> Engine {
    let storage = AnyStorage::new(fixture.open(&Settings::default()).await);
    engine(storage, limit)
}

/// Two nodes of one application, with a storage each.
pub(super) async fn two_nodes(
    fixture: &impl Fixture,
    limit: Option<(u32, AtLimit)>,
) -> [Engine; 2] {
    let first = fixture.open(&Settings::default()).await;
    let second = fixture.node(&first).await;
    [first, second].map(|storage| engine(AnyStorage::new(storage), limit))
}

pub(super) fn engine(storage: AnyStorage, limit: Option<(u32, AtLimit)>) -> Engine {
    let mut policy = Policy::default();
    // A busy test machine must not make commits late.
    policy.commit_timeout = Duration::from_secs(20);
    let mut concurrent = ConcurrentSessions::default();
    if let Some((limit, at_limit)) = limit {
        (concurrent.limit, concurrent.at_limit) = (limit, at_limit);
    }
    policy.concurrent_sessions = concurrent;
    Engine::builder(storage).policy(policy).build().unwrap()
}

/// One request, with or without a ticket.
pub(super) async fn visit(
    engine: &Engine,
    cookie: Option<&SetCookie>,
    handler: impl FnOnce(&Session) -> Result<(), SessionError>,
) -> Result<Option<SetCookie>, SessionError> {
    let request = cookie.map_or_else(FakeRequest::new, FakeRequest::with);
    let scope = engine.begin(&request);
    handler(&scope.handle().load().await?)?;
    Ok(scope.finish(Answer::Ordinary).await?.into_cookie())
}

pub(super) async fn sign_in(engine: &Engine) -> Result<SetCookie, SessionError> {
    let cookie = visit(engine, None, |session| session.set_owner(OWNER)).await?;
    Ok(cookie.expect("a sign-in hands out a ticket"))
}

pub(super) async fn lives(engine: &Engine, cookie: &SetCookie) -> bool {
    let scope = engine.begin(&FakeRequest::with(cookie));
    scope.handle().outcome().await.unwrap() == LoadOutcome::Found
}

pub(super) fn id(cookie: &SetCookie) -> PublicId {
    Token::parse(ticket_in(cookie).as_bytes()).unwrap().key().public_id()
}

pub(super) async fn index(engine: &Engine) -> Vec<IndexEntry> {
    engine.storage().owner_index(&OwnerKey::of(OWNER)).await.unwrap().entries
}

pub(super) async fn drained(engine: &Engine) {
    assert!(engine.drain(Duration::from_secs(20)).await);
}
