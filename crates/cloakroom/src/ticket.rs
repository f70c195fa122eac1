//! [`Ticket`]: a token together with its two hashes, which are derived once per request and looked at
//! several times. The engine and the session's state pass it on; adapters never see one.

use crate::error::RandomError;
use crate::token::{PublicId, SessionKey, Token, VerifierHash};

/// A visitor's token, where its record lies, and what the record must hold for it.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    token: Token,
    key: SessionKey,
    proof: VerifierHash,
}

impl Ticket {
    pub(crate) fn new(token: Token) -> Self {
        Self { key: token.key(), proof: token.verifier_hash(), token }
    }

    /// Draws the ticket of a new session.
    pub(crate) fn generate() -> Result<Self, RandomError> {
        Token::generate().map(Self::new)
    }

    /// The same session's next ticket.
    pub(crate) fn rotated(&self) -> Result<Self, RandomError> {
        let token = self.token.rotated()?;
        Ok(Self { key: self.key, proof: token.verifier_hash(), token })
    }

    pub(crate) fn token(&self) -> &Token {
        &self.token
    }

    pub(crate) fn key(&self) -> SessionKey {
        self.key
    }

    pub(crate) fn proof(&self) -> VerifierHash {
        self.proof
    }

    pub(crate) fn public_id(&self) -> PublicId {
        self.key.public_id()
    }
}
