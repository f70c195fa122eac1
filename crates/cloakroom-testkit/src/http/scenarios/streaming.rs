//! Streamed bodies, connections that carry several requests, and clients that hang up: where a
//! request ends is the end of its handler, whatever the connection does.

use std::net::SocketAddr;
use std::time::Duration;

use super::ticket::{handed_out, left_alone, visitor};
use crate::http::{HttpClient, HttpRequest};

/// How long a scenario waits for the server to notice that the client has hung up. A server that
/// lets its handlers finish need not notice.
const NOTICE_LIMIT: Duration = Duration::from_secs(2);

/// While the body is streamed the session can be read; writing to it is an error, not a silent
/// loss.
pub async fn a_streamed_body_reads_the_session_and_cannot_change_it(node: SocketAddr) {
    let mut client = visitor(node).await;
    let text = client.text("/stream?k=v").await;
    let (write, read) = text.split_once("; ").expect("two parts");
    assert!(write.starts_with("write: the answer is on its way"), "{write}");
    assert_eq!(read, "read: kept");
    assert_eq!(client.text("/names").await, "v");
}

/// The changes are in the storage before the body begins, so the visitor's next request sees them
/// however long the body takes.
pub async fn a_commit_does_not_wait_for_the_end_of_the_body(node: SocketAddr) {
    let mut client = visitor(node).await;
    let streaming = client.begin("/stream?k=v&v=new&gate=body").await;
    client.text("/arrived?gate=body").await;
    assert_eq!(client.text("/get?k=v").await, "new");
    client.text("/open?gate=body").await;
    let answer = streaming.answer().await.expect("an answer");
    assert!(answer.text().ends_with("read: new"), "{}", answer.text());
    left_alone(&client, &answer);
}

/// A client that hangs up while the body is streamed has read the headers: what they say stays.
pub async fn a_client_that_leaves_during_the_body_undoes_nothing(node: SocketAddr) {
    let mut client = visitor(node).await;
    let streaming = client.begin("/stream?k=v&v=new&gate=body").await;
    client.text("/arrived?gate=body").await;
    drop(streaming);
    noticed(&client, "body").await;
    client.text("/open?gate=body").await;
    assert_eq!(client.text("/get?k=v").await, "new");
    assert_eq!(client.text("/names").await, "v");
}

/// A client that hangs up before the handler has answered: a server may drop the handler (axum does)
/// or let it finish (actix-web does), so the changes are all there or none of them is, and the
/// session is as good as before.
pub async fn a_client_that_disconnects_leaves_no_half_of_a_write(node: SocketAddr) {
    let mut client = visitor(node).await;
    let impatient = client.begin("/pair?gate=pair").await;
    client.text("/arrived?gate=pair").await;
    assert_eq!(client.text("/names").await, "v", "nothing has been committed yet");
    drop(impatient);
    noticed(&client, "pair").await;
    client.text("/open?gate=pair").await;
    client.text("/deserted?gate=pair").await;
    for count in 1..=20 {
        let names = client.text("/names").await;
        assert!(["v", "count,v", "one,two,v", "count,one,two,v"].contains(&&*names), "{names}");
        assert_eq!(client.text("/count").await, count.to_string());
    }
}

/// A proxy sends the requests of many visitors over one connection: each has its own session, and
/// nothing of the one before.
pub async fn visitors_on_one_connection_do_not_share_a_session(node: SocketAddr) {
    let mut ada = HttpClient::new(node);
    let answer = ada.get("/login?as=ada").await;
    handed_out(&ada, &answer);
    let stranger = HttpClient::new(node);
    let ask = |client: &HttpClient, target: &str| client.dress(HttpRequest::get(target));
    let requests = vec![
        ask(&ada, "/whoami"),
        ask(&stranger, "/whoami"),
        ask(&ada, "/count"),
        ask(&stranger, "/optional"),
        ask(&stranger, "/plain"),
        ask(&stranger, "/count"),
        ask(&ada, "/whoami"),
    ];
    let answers = HttpRequest::ask_in_turn(requests, node).await.expect("all are answered");
    let texts: Vec<_> = answers.iter().map(|answer| answer.text()).collect();
    assert_eq!(texts, ["ada", "nobody", "1", "none", "plain", "1", "ada"]);
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!(stranger.ticket_cookie(answer).is_some(), at == 5, "answer {at}");
    }
    assert_eq!(ada.text("/names").await, "count");
}

async fn noticed(client: &HttpClient, gate: &str) {
    let (mut client, target) = (client.clone(), format!("/deserted?gate={gate}"));
    let notice = async move { client.text(&target).await };
    let _ = tokio::time::timeout(NOTICE_LIMIT, notice).await;
}
