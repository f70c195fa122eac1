//! [`seed`]: makes very many visitors sign in.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloakroom::Engine;

use super::contents::Contents;
use crate::Visitor;

/// How many sign in at the same moment.
const AT_ONCE: usize = 128;

/// Has the visitors of these numbers sign in, and answers each number with its cookie.
pub async fn seed(
    engine: &Engine,
    contents: Contents,
    visitors: Range<usize>,
) -> Vec<(usize, String)> {
    let next = Arc::new(AtomicUsize::new(visitors.start));
    let callers: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (engine, next, end) = (engine.clone(), next.clone(), visitors.end);
            tokio::spawn(async move {
                let mut arrived = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return arrived;
                    }
                    let fill = |session: &_| contents.fill(session, number);
                    let visitor = Visitor::arriving(&engine, fill).await;
                    arrived.push((number, visitor.cookie().to_owned()));
                }
            })
        })
        .collect();
    let mut all = Vec::with_capacity(visitors.len());
    for caller in callers {
        all.extend(caller.await.expect("every visitor can sign in"));
    }
    all
}
