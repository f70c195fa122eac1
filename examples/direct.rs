//! Sessions without a web framework: a chat bot, a game server or a job queue that keeps something
//! per visitor under names of its own.
//!
//! ```text
//! cargo run -p cloakroom-examples --bin direct                            # in memory
//! cargo run -p cloakroom-examples --bin direct -- redis://localhost:6379  # in Redis
//! ```

use std::error::Error;
use std::time::Duration;

use cloakroom::{
    Field, MemorySessionStorage, SessionData, SessionError, SessionFingerprint, SessionStorage,
};
use cloakroom_redis::RedisSessionStorage;

/// A field's name and type, written down once.
const LANGUAGE: Field<String> = Field::new("language");
const QUESTIONS: Field<u32> = Field::new("questions");

/// How long a conversation may rest.
const IDLE: Duration = Duration::from_secs(15 * 60);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    match std::env::args().nth(1) {
        Some(url) => converse(RedisSessionStorage::builder().url(url).build().await?).await?,
        None => converse(MemorySessionStorage::new()).await?,
    }
    Ok(())
}

/// Any storage will do, so this is also how an application stays independent of one.
async fn converse(storage: impl SessionStorage) -> Result<(), SessionError> {
    println!("storage: {}", storage.backend_name());
    let visitor = "chat-4711";
    // Where the visitor speaks from; only whoever speaks from there gets the session.
    let phone = SessionFingerprint::new("192.0.2.7", "ChatApp/2.1");

    // New data replaces whatever lies under the name.
    let mut data = SessionData::new().with_fingerprint(phone.clone());
    data.insert(LANGUAGE, "en")?;
    storage.set(visitor, &data, IDLE).await?;

    // Loaded data is written back as the changes that were made to it: two programs that ask at
    // once are both counted, and neither overwrites the other's fields.
    if let Some(mut data) = storage.get(visitor, Some(&phone)).await? {
        data.update(QUESTIONS, |asked| asked.unwrap_or(0) + 1)?;
        storage.set(visitor, &data, IDLE).await?;
    }
    if let Some(data) = storage.get(visitor, Some(&phone)).await? {
        println!("language: {}", data.get(LANGUAGE)?.unwrap_or_default());
        println!("questions: {}", data.get(QUESTIONS)?.unwrap_or_default());
    }

    let stranger = SessionFingerprint::new("198.51.100.1", "ChatApp/2.1");
    let seen = storage.get(visitor, Some(&stranger)).await?.is_some();
    println!("a stranger sees it: {seen}");

    println!("deleted: {}", storage.delete(visitor).await?);
    println!("still there: {}", storage.exists(visitor).await?);
    Ok(())
}
