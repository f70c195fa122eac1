//! Cookies that no browser was given: none of them costs a session, and none brings the server down.

use std::net::SocketAddr;

use super::ticket::{handed_out, left_alone, visitor};
use crate::http::{HttpClient, HttpRequest};

/// What has the length of a ticket and is none counts as no cookie: the browser keeps it, and the
/// first value makes a session.
pub async fn garbage_of_a_tickets_length_is_no_ticket(node: SocketAddr) {
    let nearly = format!("{}=", "A".repeat(63));
    for garbage in ["!".repeat(64), "%41".repeat(21) + "A", "+/".repeat(32), nearly] {
        assert_eq!(garbage.len(), 64);
        let mut client = HttpClient::new(node).with_ticket(&garbage);
        let answer = client.get("/optional").await;
        assert_eq!(answer.text(), "none");
        left_alone(&client, &answer);
        let answer = client.get("/count").await;
        assert_eq!(answer.text(), "1");
        handed_out(&client, &answer);
        assert_eq!(client.text("/count").await, "2");
    }
}

/// Whatever stands beside our cookie, in one header or in several, the session is found.
pub async fn a_malformed_neighbour_does_not_cost_the_session(node: SocketAddr) {
    let client = visitor(node).await;
    let ours = client.cookie_header();
    for neighbour in [
        &b"\xff\xfe=\xc3\x28"[..],
        b"=",
        b";;;  ;",
        b"a=\"b",
        b"no equals sign",
        b"x=1, y=2",
        b"__Host-id",
        b"__Host-id=",
        b"__Host-id=short",
        b"__host-id=AAAA",
    ] {
        for (before, after) in [(neighbour, &b""[..]), (&b""[..], neighbour)] {
            let line = [before, b"; ", ours.as_bytes(), b"; ", after].concat();
            let request = HttpRequest::get("/get?k=v").header("cookie", line);
            assert_eq!(ask(&client, request).await, (200, "kept".to_owned()), "{neighbour:?}");
        }
        let split = HttpRequest::get("/get?k=v").header("cookie", neighbour);
        let split = split.header("cookie", &ours);
        assert_eq!(ask(&client, split).await, (200, "kept".to_owned()), "{neighbour:?}");
    }
}

/// A value with bytes that are no text is no ticket, and no error.
pub async fn bytes_that_are_no_text_are_no_ticket(node: SocketAddr) {
    let mut client = HttpClient::new(node);
    for bytes in [&[0xff; 64][..], b"\xc3\x28", b"\xed\xa0\x80"] {
        let line = [b"__Host-id=", bytes].concat();
        let request = HttpRequest::get("/optional").header("cookie", line);
        let answer = client.try_ask(request).await.expect("an answer");
        assert_eq!((answer.status(), answer.text().as_str()), (200, "none"));
        left_alone(&client, &answer);
    }
}

/// A ticket under another application's cookie name, or of another case, is not ours.
pub async fn a_ticket_under_another_name_is_not_ours(node: SocketAddr) {
    let client = visitor(node).await;
    let ticket = client.ticket().expect("the visitor has a ticket");
    for name in ["id", "__Host-sid", "__Secure-id", "__HOST-ID", "x__Host-id", "__Host-idx"] {
        let request = HttpRequest::get("/optional").header("cookie", format!("{name}={ticket}"));
        let answer = HttpClient::new(node).try_ask(request).await.expect("an answer");
        assert_eq!(answer.text(), "none", "{name}");
        left_alone(&HttpClient::new(node), &answer);
    }
}

/// A hundred cookies of our name: the good one is found among bad ones, and tickets that open
/// nothing cost a bounded effort.
pub async fn a_hundred_cookies_of_our_name_are_survived(node: SocketAddr) {
    let client = visitor(node).await;
    let ours = client.cookie_header();
    let garbage = vec!["__Host-id=garbage"; 99].join("; ");
    for line in [format!("{garbage}; {ours}"), format!("{ours}; {garbage}")] {
        let request = HttpRequest::get("/get?k=v").header("cookie", line);
        assert_eq!(ask(&client, request).await, (200, "kept".to_owned()));
    }
    let unknown = vec![format!("__Host-id={}", "A".repeat(64)); 99].join("; ");
    let request = HttpRequest::get("/get?k=v").header("cookie", format!("{ours}; {unknown}"));
    assert_eq!(ask(&client, request).await, (200, "kept".to_owned()));
    let request = HttpRequest::get("/optional").header("cookie", unknown);
    assert_eq!(ask(&client, request).await, (200, "none".to_owned()));
}

/// A header as large as the server accepts does not cost the session, and a larger one does not
/// cost the server.
pub async fn a_huge_cookie_header_is_survived(node: SocketAddr) {
    let mut client = visitor(node).await;
    let ours = client.cookie_header();
    for kilobytes in [4, 16, 60, 120, 250, 400, 10 * 1024] {
        let padding = "x".repeat(kilobytes * 1024);
        let request = HttpRequest::get("/get?k=v").header("user-agent", "Testkit/1.0");
        let request = request.header("cookie", format!("{ours}; padding={padding}"));
        match request.ask(node).await {
            Ok(answer) if answer.status() == 200 => assert_eq!(answer.text(), "kept"),
            Ok(answer) => {
                assert!(kilobytes > 4, "browsers send that much");
                assert!((400..500).contains(&answer.status()), "{}", answer.status());
                left_alone(&client, &answer);
            }
            // Hanging up on ten megabytes is an answer too.
            Err(_) => assert!(kilobytes > 4, "browsers send that much"),
        }
        assert_eq!(client.text("/get?k=v").await, "kept", "the server goes on");
    }
}

async fn ask(client: &HttpClient, request: HttpRequest) -> (u16, String) {
    // The request brings its own cookies; a visitor without any sends it.
    let answer = client.without_cookies().try_ask(request).await.expect("an answer");
    (answer.status(), answer.text())
}
