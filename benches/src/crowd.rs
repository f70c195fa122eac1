//! [`Crowd`]: visitors with browsers who read and write over HTTP, and everything they see.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cloakroom_testkit::http::HttpClient;
use tokio::task::JoinHandle;

/// Visitors of each client.
const VISITORS: usize = 8;
/// A person's pause. Without one the clients would measure each other.
const PAUSE: Duration = Duration::from_millis(5);

/// Clients at work, each with visitors of its own who are signed in.
pub struct Crowd {
    over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Vec<Seen>>>,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Read,
    Write,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Seen {
    pub deed: Deed,
    pub begin: Instant,
    pub end: Instant,
    pub status: u16,
    /// A 503 that says when to come back.
    pub come_back: bool,
    /// The answer took the ticket away.
    pub cleared: bool,
    /// An answer of 200 that told the visitor something that cannot be: nobody, somebody else, or
    /// less than what was acknowledged before.
    pub wrong: bool,
}

impl Crowd {
    /// Signs the visitors in and sets the clients to work: seven reads to three writes.
    pub async fn gather(shop: SocketAddr, clients: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let mut started = Vec::new();
        for client in 0..clients {
            let mut visitors = Vec::new();
            for at in 0..VISITORS {
                let name = format!("visitor-{client}-{at}");
                let mut browser = HttpClient::new(shop);
                browser.text(&format!("/login?as={name}")).await;
                visitors.push(Visitor { name, browser, acknowledged: 0 });
            }
            started.push(tokio::spawn(work(visitors, client, over.clone())));
        }
        Self { over, clients: started }
    }

    /// Lets everybody finish the request in hand, and answers what they saw.
    pub async fn dismiss(self) -> Vec<Seen> {
        self.over.store(true, Ordering::Relaxed);
        let mut seen = Vec::new();
        for client in self.clients {
            seen.append(&mut client.await.expect("no client panics"));
        }
        seen.sort_by_key(|seen| seen.begin);
        seen
    }
}

impl Seen {
    /// How long the answer took.
    pub fn took(&self) -> Duration {
        self.end - self.begin
    }

    /// Whether it was answered as on a good day.
    pub fn is_good(&self) -> bool {
        self.status == 200 && !self.wrong
    }
}

struct Visitor {
    name: String,
    browser: HttpClient,
    /// The highest count that was acknowledged.
    acknowledged: u32,
}

async fn work(mut visitors: Vec<Visitor>, client: usize, over: Arc<AtomicBool>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for turn in client.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let deed = if turn % 10 < 7 { Deed::Read } else { Deed::Write };
        // The turns of reads and writes fall on all visitors: 10 and 7 have no divisor in common.
        let visitor = &mut visitors[turn / 7 % VISITORS];
        seen.push(visitor.ask(deed).await);
        tokio::time::sleep(PAUSE).await;
    }
    seen
}

impl Visitor {
    async fn ask(&mut self, deed: Deed) -> Seen {
        let target = if deed == Deed::Read { "/read" } else { "/write" };
        // A clone: the ticket stays to be shown again, whatever an answer does to it.
        let mut browser = self.browser.clone();
        let begin = Instant::now();
        let answer = browser.get(target).await;
        let end = Instant::now();
        let cleared = browser.ticket_cookie(&answer).is_some_and(|cookie| cookie.is_removal());
        let text = answer.text();
        let told = text.strip_prefix(&self.name).and_then(|count| count.trim().parse::<u32>().ok());
        let status = answer.status();
        let wrong = status == 200 && told.is_none_or(|count| count < self.acknowledged);
        if status == 200 {
            self.acknowledged = self.acknowledged.max(told.unwrap_or_default());
        }
        let come_back = status == 503 && !answer.headers("retry-after").is_empty();
        Seen { deed, begin, end, status, come_back, cleared, wrong }
    }
}
