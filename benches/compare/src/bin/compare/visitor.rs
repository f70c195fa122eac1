//! [`Visitor`]: a browser as far as sessions are concerned. It shows its cookies and keeps what it is
//! given.

use std::collections::BTreeMap;

use cloakroom_compare::Failure;
use futures_util::future::join_all;

use crate::client::{self, Outcome};
use crate::node::Node;

/// Cookies of one visitor.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    jar: BTreeMap<String, String>,
}

impl Visitor {
    /// A visitor who has just signed in.
    pub async fn signed_in(node: &Node) -> Result<Self, Failure> {
        let mut visitor = Self::default();
        let outcome = visitor.visit(node, "/login").await;
        match outcome.body() {
            Some(_) => Ok(visitor),
            None => Err(format!("{}: /login answers {}", node.name(), outcome.label()).into()),
        }
    }

    /// Several of them, who sign in side by side.
    pub async fn crowd(node: &Node, count: usize) -> Result<Vec<Self>, Failure> {
        const AT_ONCE: usize = 16;
        let mut crowd = Vec::with_capacity(count);
        while crowd.len() < count {
            let some = AT_ONCE.min(count - crowd.len());
            let arriving = (0..some).map(|_| Self::signed_in(node));
            for visitor in join_all(arriving).await {
                crowd.push(visitor?);
            }
        }
        Ok(crowd)
    }

    /// A request after which the visitor has the cookies of the answer.
    pub async fn visit(&mut self, node: &Node, path: &str) -> Outcome {
        let outcome = self.peek(node, path).await;
        self.keep(&outcome);
        outcome
    }

    /// A request whose answer's cookies are left.
    pub async fn peek(&self, node: &Node, path: &str) -> Outcome {
        client::get(node.port(), path, &self.header()).await
    }

    /// Takes the cookies of an answer.
    pub fn keep(&mut self, outcome: &Outcome) {
        let Outcome::Answered(answer) = outcome else { return };
        for cookie in &answer.cookies {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() || takes_away(attributes) {
                self.jar.remove(name.trim());
            } else {
                self.jar.insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    /// The value of the `Cookie` header.
    pub fn header(&self) -> String {
        let pairs = self.jar.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }
}

fn takes_away(attributes: &str) -> bool {
    let mut attributes = attributes.split(';').map(|attribute| attribute.trim().to_lowercase());
    attributes.any(|attribute| attribute == "max-age=0" || attribute.ends_with("1970 00:00:00 gmt"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Answer;

    #[test]
    fn cookies_are_kept_replaced_and_taken_away() {
        let mut visitor = Visitor::default();
        let mut answer = |cookies: &[&str]| {
            let cookies = cookies.iter().map(|&cookie| cookie.to_owned()).collect();
            visitor.keep(&Outcome::Answered(Answer { status: 200, cookies, body: String::new() }));
            visitor.header()
        };
        assert_eq!(answer(&["id=a; Path=/", "b=2=3; Max-Age=5"]), "b=2=3; id=a");
        assert_eq!(answer(&["id=c; Max-Age=00"]), "b=2=3; id=c");
        assert_eq!(answer(&["id=x; Max-Age=0; Path=/"]), "b=2=3");
        assert_eq!(answer(&["b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]), "");
    }
}
