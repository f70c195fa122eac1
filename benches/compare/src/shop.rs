//! What the applications keep in a session and answer: a signed-in user, a counter, and four texts
//! that make the session as large as a real one, about 1 KiB.

use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;

/// The texts' fields.
pub const FIELDS: [&str; 4] = ["f0", "f1", "f2", "f3"];

/// The user who signs in.
pub const USER: u64 = 1;

/// How long a session lives without a request.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// The answer of `/plain`.
pub const PLAIN: &str = "plain";

/// The answer where there is no session.
pub const NONE: &str = "none";

/// How many fields `/keys` looks for.
pub const KEY_COUNT: usize = 50;

/// One of the texts.
pub fn text() -> String {
    "x".repeat(200)
}

/// Whose session the next sign-in makes, for a library that knows owners. Every visitor is somebody
/// else, because an owner may have no more than so many sessions.
pub fn next_owner() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("visitor-{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The fields that `/keys` looks for: `k0` to `k49`.
pub fn key_names() -> impl Iterator<Item = String> {
    (0..KEY_COUNT).map(|number| format!("k{number}"))
}

/// The query of `/set`.
#[derive(Clone, Debug, Deserialize)]
pub struct SetField {
    /// The field to write.
    pub k: String,
    /// How long the handler works before it writes, in milliseconds.
    #[serde(default)]
    pub ms: u64,
}

impl SetField {
    /// The handler's work.
    pub async fn work(&self) {
        tokio::time::sleep(Duration::from_millis(self.ms)).await;
    }
}
