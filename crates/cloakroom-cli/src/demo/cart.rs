//! The cart: one field of the session, changed by `update` so that parallel requests lose nothing.

use std::collections::BTreeMap;

use axum::Form;
use axum::response::Response;
use cloakroom::{Field, FlashLevel};
use cloakroom_axum::{Session, SessionRejection};
use serde::{Deserialize, Serialize};

use super::pages;

/// How many of each article are in the cart.
pub(super) const CART: Field<Cart> = Field::new("cart");

/// The most of one article that a cart takes, so that a session stays small.
const MOST: u32 = 9_999;

/// What can be handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Article {
    Coat,
    Scarf,
    Umbrella,
    /// What the parallel requests add.
    Tag,
}

/// What was handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Cart {
    counts: BTreeMap<Article, u32>,
}

/// One row of the cart on the page.
pub(super) struct Line {
    pub(super) article: Article,
    pub(super) count: u32,
}

/// A form that names an article.
#[derive(Deserialize)]
pub(super) struct Choice {
    article: Article,
}

impl Article {
    const ALL: [Self; 4] = [Self::Coat, Self::Scarf, Self::Umbrella, Self::Tag];

    /// The article as a form names it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Coat => "coat",
            Self::Scarf => "scarf",
            Self::Umbrella => "umbrella",
            Self::Tag => "tag",
        }
    }

    /// The article as people name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Coat => "Loden coat",
            Self::Scarf => "Silk scarf",
            Self::Umbrella => "Black umbrella",
            Self::Tag => "Brass tag",
        }
    }
}

impl Cart {
    /// The cart with one more of an article.
    pub(super) fn with(mut self, article: Article) -> Self {
        let count = self.counts.entry(article).or_default();
        *count = (*count + 1).min(MOST);
        self
    }

    fn without(mut self, article: Article) -> Self {
        if let Some(count) = self.counts.get_mut(&article) {
            *count -= 1;
        }
        self.counts.retain(|_, count| *count > 0);
        self
    }

    /// How many things are in the cart.
    pub(super) fn total(&self) -> u32 {
        self.counts.values().sum()
    }

    /// All articles, with how many of each are in the cart.
    pub(super) fn lines(&self) -> Vec<Line> {
        let count = |article| self.counts.get(&article).copied().unwrap_or(0);
        Article::ALL.map(|article| Line { article, count: count(article) }).into()
    }
}

/// Adds one thing; the first one makes a session, also for a visitor who has not signed in.
pub(super) async fn add(
    session: Session,
    Form(Choice { article }): Form<Choice>,
) -> Result<Response, SessionRejection> {
    session.update(CART, move |cart| cart.unwrap_or_default().with(article))?;
    session.flash(FlashLevel::Success, format!("{}: one more in your cart.", article.name()))?;
    Ok(pages::see("/#cart"))
}

/// Takes one thing out.
pub(super) async fn remove(
    session: Option<Session>,
    Form(Choice { article }): Form<Choice>,
) -> Result<Response, SessionRejection> {
    if let Some(session) = session {
        session.update(CART, move |cart| cart.unwrap_or_default().without(article))?;
        session.flash(FlashLevel::Info, format!("{}: one taken out.", article.name()))?;
    }
    Ok(pages::see("/#cart"))
}

/// Takes everything out.
pub(super) async fn empty(session: Option<Session>) -> Result<Response, SessionRejection> {
    if let Some(session) = session {
        session.remove(CART.name())?;
        session.flash(FlashLevel::Info, "Your cart is empty.")?;
    }
    Ok(pages::see("/#cart"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_out_the_last_one_or_none_leaves_no_trace() {
        let cart = Cart::default().with(Article::Coat).with(Article::Scarf);
        assert_eq!(cart.total(), 2);
        let cart = cart.without(Article::Coat).without(Article::Umbrella);
        assert_eq!(cart, Cart::default().with(Article::Scarf));
    }
}
