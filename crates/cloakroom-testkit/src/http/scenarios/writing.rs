//! Parallel requests of one visitor: nothing that was acknowledged is lost.

use std::net::SocketAddr;

use super::ticket::visitor;
use crate::http::HttpClient;

const WRITERS: usize = 50;

/// Fifty requests at once that set fifty fields, through two nodes: all fifty are there.
pub async fn fifty_parallel_writers_all_keep_their_fields(one: SocketAddr, other: SocketAddr) {
    let mut client = visitor(one).await;
    let answers = at_once(&client, [one, other], |at| format!("/set?k=field{at:02}&v={at}")).await;
    assert!(answers.iter().all(|answer| answer == "set"));

    let wanted: Vec<_> = (0..WRITERS).map(|at| format!("field{at:02}")).collect();
    assert_eq!(client.text("/names").await, wanted.join(",") + ",v");
    for at in [0, 17, WRITERS - 1] {
        assert_eq!(client.text(&format!("/get?k=field{at:02}")).await, at.to_string());
    }
}

/// Fifty requests at once that count, through two nodes: the count is fifty.
pub async fn fifty_parallel_updates_lose_no_increment(one: SocketAddr, other: SocketAddr) {
    let mut client = visitor(one).await;
    at_once(&client, [one, other], |_| "/count".to_owned()).await;
    assert_eq!(client.text("/visit").await, WRITERS.to_string());
}

/// Sends all requests before any answer is awaited, each to the next node in turn.
async fn at_once(
    client: &HttpClient,
    nodes: [SocketAddr; 2],
    target: impl Fn(usize) -> String,
) -> Vec<String> {
    let mut tabs = Vec::with_capacity(WRITERS);
    for at in 0..WRITERS {
        let (mut tab, target) = (client.at(nodes[at % nodes.len()]), target(at));
        tabs.push(tokio::spawn(async move { tab.text(&target).await }));
    }
    let mut answers = Vec::with_capacity(WRITERS);
    for tab in tabs {
        answers.push(tab.await.expect("every request is answered with 200"));
    }
    answers
}
