//! [`Ask`]: the query of all routes of the application under test; each reads what it needs.

use serde::Deserialize;

use super::Gates;

/// What a request asks for. A framework's own extractor reads it from the query.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the table of routes tells what each is for")]
pub struct Ask {
    pub k: String,
    pub v: String,
    pub r#as: String,
    pub gate: Option<String>,
    pub flash: Option<String>,
    pub text: String,
    pub status: u16,
    pub bytes: usize,
}

impl Ask {
    /// Passes the gate, if the query has one.
    pub async fn pass(&self, gates: &Gates) {
        if let Some(gate) = &self.gate {
            gates.pass(gate).await;
        }
    }
}
