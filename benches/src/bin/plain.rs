//! What a session layer costs a route that does not use sessions: an axum application with a
//! `SessionLayer` and one without, each in a process of its own with one thread, driven by `wrk` in turns.
//! The visitor shows a ticket among six cookies.

use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use cloakroom::{Engine, MemorySessionStorage};
use cloakroom_axum::SessionLayer;
use cloakroom_benches::{Contest, Parent, Worker, group, rounds};
use tokio::net::TcpListener;

const CANDIDATES: [&str; 2] = ["bare", "layer"];
const COOKIES: &str = "Cookie: _ga=GA1.2.1186413451.1763850000; theme=dark; \
    consent=2026-01-15T09:30; __Host-id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
    AAAAAAAA; lang=de-DE; _gid=GA1.2.771203344.1763850000";
const USER_AGENT: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 \
    (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, role, candidate] = &arguments[..]
        && role == "serve"
    {
        return serve(candidate == "layer");
    }
    let rounds = rounds(9);
    let mut servers = CANDIDATES.map(Server::start);
    let mut rates = Contest::new(&CANDIDATES);
    let mut costs = Contest::new(&CANDIDATES);
    for _ in 0..rounds {
        for server in &mut servers {
            let (requests, cpu) = server.drive();
            rates.add(server.candidate, requests as f64);
            costs.add(server.candidate, cpu.as_nanos() as f64 / requests as f64);
        }
    }
    println!("medians of {rounds} rounds of 1 s in turns, 32 connections, one thread:");
    for candidate in CANDIDATES {
        let rate = group(rates.median(candidate));
        let cost = group(costs.median(candidate));
        println!("  {candidate:<8}{rate:>10} requests/s{cost:>10} ns of the server's CPU each");
    }
    println!("  rate, layer / bare       {:.3}", rates.ratio("layer", "bare"));
    println!("  CPU time, bare / layer   {:.3}", costs.ratio("bare", "layer"));
}

struct Server {
    candidate: &'static str,
    worker: Worker,
    port: String,
}

impl Server {
    fn start(candidate: &'static str) -> Self {
        let mut worker = Worker::start(&["serve", candidate]);
        let port = worker.hear();
        Self { candidate, worker, port }
    }

    /// One round: how many requests were answered, and what the server's process took for them.
    fn drive(&mut self) -> (u64, Duration) {
        let before = self.cpu();
        let output = Command::new("wrk")
            .args(["-t1", "-c32", "-d1s", "-H", COOKIES, "-H", USER_AGENT])
            .arg(format!("http://127.0.0.1:{}/plain", self.port))
            .output()
            .expect("wrk is installed");
        let report = String::from_utf8_lossy(&output.stdout);
        assert!(!report.contains("Non-2xx"), "{report}");
        let line = report.lines().find(|line| line.contains(" requests in ")).expect("a report");
        let requests = line.split_whitespace().next().expect("a number");
        (requests.parse().expect("a number"), self.cpu() - before)
    }

    fn cpu(&mut self) -> Duration {
        self.worker.tell("cpu");
        Duration::from_nanos(self.worker.hear().parse().expect("nanoseconds"))
    }
}

fn serve(with_layer: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let app = Router::new().route("/plain", get(async || "hello"));
        let engine = Engine::builder(MemorySessionStorage::new()).build().expect("sound");
        let app = if with_layer { app.layer(SessionLayer::new(engine)) } else { app };
        let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let parent = Parent;
        parent.tell(&listener.local_addr().expect("bound").port().to_string());
        std::thread::spawn(move || {
            while parent.hear().is_some() {
                parent.tell(&cpu_nanos().to_string());
            }
            std::process::exit(0);
        });
        axum::serve(listener, app).await.expect("it serves until the parent ends");
    });
}

/// What this process has used of the CPU so far, by the scheduler's own count.
fn cpu_nanos() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    let nanos = tasks.map(|task| {
        let path = task.expect("a task").path().join("schedstat");
        let stat = std::fs::read_to_string(path).expect("Linux");
        stat.split_whitespace().next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0)
    });
    nanos.sum()
}
