//! What an application writes by hand without a session library: a cookie with a random id, a JSON
//! object under the id. How it gets to Redis and back is up to a [`Store`], how it is asked to the
//! web framework.

#[cfg(feature = "actix")]
pub mod actix;
#[cfg(feature = "axum")]
pub mod axum;

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::{FIELDS, IDLE_TIMEOUT, NONE, SetField, USER, key_names, text};

/// Where the objects lie.
pub trait Store: Send + Sync + 'static {
    /// What went wrong in Redis.
    type Error: Display;

    /// The text under a key.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<String>, Self::Error>> + Send;

    /// Keeps a text under a key for so many seconds.
    fn set(
        &self,
        key: &str,
        data: String,
        seconds: u64,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Removes a key.
    fn remove(&self, key: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// Why there is no answer.
enum Refused {
    /// Nobody is signed in.
    SignedOut,
    /// Something is broken.
    Failed,
}

/// One visitor's session.
struct Loaded {
    key: String,
    data: Map<String, Value>,
}

impl Loaded {
    fn number(&self, field: &str) -> Option<u64> {
        self.data.get(field)?.as_u64()
    }
}

/// How long a session lives, in seconds.
pub fn lifetime() -> u64 {
    IDLE_TIMEOUT.as_secs()
}

/// The key that the visitor's cookie names, of all `Cookie` headers.
fn key<'a>(headers: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut cookies = headers.flat_map(|header| header.split(';'));
    let id = cookies.find_map(|cookie| cookie.trim().strip_prefix("id="))?;
    Some(format!("session:{id}"))
}

async fn load<S: Store>(store: &S, key: Option<String>) -> Result<Option<Loaded>, Refused> {
    let Some(key) = key else { return Ok(None) };
    let Some(data) = store.get(&key).await.map_err(failed)? else { return Ok(None) };
    let data = serde_json::from_str(&data).map_err(failed)?;
    Ok(Some(Loaded { key, data }))
}

async fn save<S: Store>(store: &S, session: &Loaded) -> Result<(), Refused> {
    let data = serde_json::to_string(&session.data).map_err(failed)?;
    store.set(&session.key, data, lifetime()).await.map_err(failed)
}

/// The new cookie and the answer.
async fn login<S: Store>(
    store: &S,
    old: Option<String>,
) -> Result<(String, &'static str), Refused> {
    if let Some(old) = old {
        store.remove(&old).await.map_err(failed)?;
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(failed)?;
    let id = random.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut data = Map::new();
    data.insert("uid".to_owned(), USER.into());
    data.insert("count".to_owned(), 0.into());
    data.extend(FIELDS.map(|field| (field.to_owned(), text().into())));
    save(store, &Loaded { key: format!("session:{id}"), data }).await?;
    Ok((format!("id={id}; HttpOnly; SameSite=Lax; Path=/"), "signed in"))
}

async fn read<S: Store>(store: &S, key: Option<String>) -> Result<String, Refused> {
    let count = load(store, key).await?.and_then(|session| session.number("count"));
    count.map(|count| count.to_string()).ok_or(Refused::SignedOut)
}

async fn write<S: Store>(store: &S, key: Option<String>) -> Result<String, Refused> {
    let mut session = load(store, key).await?.ok_or(Refused::SignedOut)?;
    let count = session.number("count").ok_or(Refused::SignedOut)? + 1;
    session.data.insert("count".to_owned(), count.into());
    save(store, &session).await?;
    Ok(count.to_string())
}

async fn set<S: Store>(
    store: &S,
    query: SetField,
    key: Option<String>,
) -> Result<&'static str, Refused> {
    let mut session = load(store, key).await?.ok_or(Refused::SignedOut)?;
    session.number("uid").ok_or(Refused::SignedOut)?;
    query.work().await;
    session.data.insert(query.k, 1.into());
    save(store, &session).await?;
    Ok("set")
}

async fn keys<S: Store>(store: &S, key: Option<String>) -> Result<String, Refused> {
    let session = load(store, key).await?;
    let kept = session
        .map_or(0, |session| key_names().filter(|name| session.data.contains_key(name)).count());
    Ok(kept.to_string())
}

/// The cookie that takes the old one away, and the answer.
async fn logout<S: Store>(
    store: &S,
    key: Option<String>,
) -> Result<(&'static str, &'static str), Refused> {
    if let Some(key) = key {
        store.remove(&key).await.map_err(failed)?;
    }
    Ok(("id=; Max-Age=0; HttpOnly; SameSite=Lax; Path=/", "signed out"))
}

async fn who<S: Store>(store: &S, key: Option<String>) -> Result<String, Refused> {
    let user = load(store, key).await?.and_then(|session| session.number("uid"));
    Ok(user.map_or_else(|| NONE.to_owned(), |user| user.to_string()))
}

fn failed(_: impl Display) -> Refused {
    Refused::Failed
}
