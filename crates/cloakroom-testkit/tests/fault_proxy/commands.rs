//! Faults by command that answer in the server's place, and which commands they choose.

use std::time::Duration;

use cloakroom_testkit::fault_proxy::{
    Answer, Direction, ErrorReply, Latency, On, Pace, Push, Scope, Times,
};

use super::client::{Client, request, start};

#[tokio::test]
async fn every_error_reads_as_the_servers_own() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    for (error, expected) in [
        (ErrorReply::Loading, "-LOADING "),
        (ErrorReply::Oom, "-OOM "),
        (ErrorReply::Misconf, "-MISCONF "),
        (ErrorReply::ReadOnly, "-READONLY "),
        (ErrorReply::NoReplicas, "-NOREPLICAS "),
        (ErrorReply::moved(7, "127.0.0.1", 7000), "-MOVED 7 127.0.0.1:7000\r\n"),
        (ErrorReply::ask(16383, "host", 1), "-ASK 16383 host:1\r\n"),
        (ErrorReply::TryAgain, "-TRYAGAIN "),
        (ErrorReply::ClusterDown, "-CLUSTERDOWN "),
        (ErrorReply::NoAuth, "-NOAUTH "),
        (ErrorReply::NoScript, "-NOSCRIPT "),
        (ErrorReply::WrongPass, "-WRONGPASS "),
        (ErrorReply::NoPerm, "-NOPERM "),
        (ErrorReply::Busy, "-BUSY "),
        (ErrorReply::MasterDown, "-MASTERDOWN "),
        (ErrorReply::Other("MINE a\r\nb".to_owned()), "-MINE a  b\r\n"),
    ] {
        let _rule = proxy.refuse_commands(On::every_command(), error, Times::UntilCleared);
        let reply = client.ask("PING").await;
        assert!(reply.starts_with(expected) && reply.ends_with("\r\n"), "{reply}");
        assert_eq!(reply.matches("\r\n").count(), 1, "{reply}");
    }
    assert_eq!(client.ask("PING").await, "+PONG\r\n");
}

#[tokio::test]
async fn a_refused_command_is_not_carried_out() {
    let (server, proxy) = start().await;
    let rule = proxy.refuse_commands(On::commands(["set"]), ErrorReply::Oom, Times::UntilCleared);
    let mut client = Client::connect(&proxy).await;
    assert!(client.ask("SET a 1").await.starts_with("-OOM "));
    assert_eq!(client.ask("GET a").await, "$-1\r\n");
    assert_eq!((server.calls("set").await.unwrap(), proxy.commands("SET")), (0, 1));
    assert_eq!((rule.struck(), proxy.faulted()), (1, 1));
    rule.clear();
    assert_eq!(client.ask("SET a 1").await, "+OK\r\n");
}

#[tokio::test]
async fn a_value_can_be_answered_in_the_servers_place() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let role = Answer::list([Answer::value("master"), Answer::number(7), Answer::list([])]);
    let _role = proxy.answer_commands(On::commands(["ROLE"]), &role, Times::UntilCleared);
    let _get = proxy.answer_commands(On::commands(["GET"]), &Answer::nil(), Times::UntilCleared);
    let done = Answer::status("DONE");
    let _set = proxy.answer_commands(On::commands(["SET"]), &done, Times::UntilCleared);
    assert_eq!(client.ask("ROLE").await, "*3\r\n$6\r\nmaster\r\n:7\r\n*0\r\n");
    assert_eq!(client.ask("SET a 1").await, "+DONE\r\n");
    assert_eq!(client.ask("GET a").await, "$-1\r\n");
}

#[tokio::test]
async fn a_replaced_reply_belongs_to_a_command_that_was_carried_out() {
    let (server, proxy) = start().await;
    let on = On::commands(["SET"]);
    let rule = proxy.replace_replies(on, ErrorReply::Loading, Times::UntilCleared);
    let mut client = Client::connect(&proxy).await;
    assert!(client.ask("SET a 1").await.starts_with("-LOADING "));
    assert_eq!(client.ask("GET a").await, "$1\r\n1\r\n");
    assert_eq!((server.calls("set").await.unwrap(), rule.struck()), (1, 1));
}

#[tokio::test]
async fn an_error_comes_in_its_turn_in_a_pipeline() {
    let (server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let on = On::commands(["SET"]);
    let _rule = proxy.refuse_commands(on, ErrorReply::ReadOnly, Times::UntilCleared);
    server.freeze();
    client.send([request("SET a 1"), request("ECHO 1"), request("SET a 2")].concat()).await;
    client.send([request("SET a 3"), request("ECHO 2"), request("SET a 4")].concat()).await;
    proxy.until_commands("SET", 4).await;
    assert!(client.reply().await.starts_with("-READONLY "));
    client.hears_nothing().await;
    server.thaw();
    for expected in ["$1\r\n1\r\n", "-READONLY ", "-READONLY ", "$1\r\n2\r\n", "-READONLY "] {
        let reply = client.reply().await;
        assert!(reply.starts_with(expected), "{reply}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_stays_under_many_faults_at_once() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect_with_resp3(&proxy).await;
    let jitter = Latency::NONE.with_jitter(Duration::from_micros(200));
    proxy.delay(Scope::All, Direction::Both, jitter);
    proxy.pace(Scope::All, Direction::Both, Pace::slices(13, Duration::ZERO));
    let echo = || On::commands(["ECHO"]);
    let every = Times::EveryNth;
    let refused = proxy.refuse_commands(echo(), ErrorReply::Oom, every(3));
    let replaced = proxy.replace_replies(echo(), ErrorReply::Busy, every(5));
    let pushed = proxy.push_before_replies(echo(), &Push::invalidate(["a"]), every(2));
    let sent: Vec<_> = (1..=600).flat_map(|at| request(&format!("ECHO {at}"))).collect();
    client.send(sent).await;
    // A rule does not count what an older one has struck.
    let (mut second, mut third) = (0, 0);
    for at in 1..=600_u64 {
        let mut reply = client.reply().await;
        if at % 3 == 0 {
            assert!(reply.starts_with("-OOM "), "{at}: {reply}");
            continue;
        }
        second += 1;
        if second % 5 == 0 {
            assert!(reply.starts_with("-BUSY "), "{at}: {reply}");
            continue;
        }
        third += 1;
        if third % 2 == 0 {
            assert!(reply.starts_with(">2\r\n"), "{at}: {reply}");
            reply = client.reply().await;
        }
        assert_eq!(reply, format!("${}\r\n{at}\r\n", at.to_string().len()));
    }
    assert_eq!((refused.struck(), replaced.struck(), pushed.struck()), (200, 80, 160));
    assert_eq!(proxy.faulted(), 440);
}

#[tokio::test]
async fn rules_choose_by_name_by_argument_and_by_connection() {
    let (_server, proxy) = start().await;
    let (mut one, mut two) = (Client::connect(&proxy).await, Client::connect(&proxy).await);
    two.ask("PING").await;
    one.ask("PING").await;
    let refuse = |on| proxy.refuse_commands(on, ErrorReply::NoPerm, Times::UntilCleared);
    let rule = refuse(On::writes());
    assert!(one.ask("set a 1").await.starts_with("-NOPERM"));
    assert_eq!(one.ask("GET a").await, "$-1\r\n");
    rule.clear();
    let rule = refuse(On::commands(["GET"]).with_argument("a"));
    assert!(one.ask("GET a").await.starts_with("-NOPERM"));
    assert_eq!(one.ask("GET b").await, "$-1\r\n");
    rule.clear();
    let rule = refuse(On::all_but_the_handshake().over(Scope::LastUsed));
    assert_eq!(one.ask("SELECT 0").await, "+OK\r\n");
    assert!(one.ask("PING").await.starts_with("-NOPERM"));
    assert_eq!(two.ask("PING").await, "+PONG\r\n");
    rule.clear();
    let rule = refuse(On::every_command().over(Scope::New));
    assert_eq!(one.ask("PING").await, "+PONG\r\n");
    assert!(Client::connect(&proxy).await.ask("PING").await.starts_with("-NOPERM"));
    rule.clear();
    let _rule = refuse(On::every_command().over(Scope::OpenNow));
    assert!(one.ask("PING").await.starts_with("-NOPERM"));
    assert_eq!(Client::connect(&proxy).await.ask("PING").await, "+PONG\r\n");
}

#[tokio::test]
async fn the_oldest_rule_that_strikes_has_the_command() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    let once = proxy.refuse_commands(On::every_command(), ErrorReply::Oom, Times::Once);
    let second = proxy.refuse_commands(On::every_command(), ErrorReply::Busy, Times::Nth(2));
    let expected = ["-OOM ", "+PONG", "-BUSY", "+PONG"];
    for expected in expected {
        let reply = client.ask("PING").await;
        assert!(reply.starts_with(expected), "{reply}");
    }
    assert_eq!((once.struck(), second.struck()), (1, 1));
}

#[tokio::test]
async fn a_rule_that_is_kept_outlives_its_handle() {
    let (_server, proxy) = start().await;
    let mut client = Client::connect(&proxy).await;
    proxy.refuse_commands(On::every_command(), ErrorReply::Oom, Times::Next(2)).keep();
    assert!(client.ask("PING").await.starts_with("-OOM "));
    proxy.clear().unwrap();
    assert_eq!(client.ask("PING").await, "+PONG\r\n");
}

#[tokio::test]
async fn pushes_come_between_replies_and_only_where_they_are_understood() {
    let (_server, proxy) = start().await;
    let mut old = Client::connect(&proxy).await;
    old.ask("PING").await;
    let mut client = Client::connect_with_resp3(&proxy).await;
    let push = Push::new("message", ["a", "x"]);
    let frame = ">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n";
    assert_eq!(proxy.push(Scope::All, &push), 1);
    assert_eq!(client.reply().await, frame);
    let rule = proxy.push_before_replies(On::commands(["GET"]), &push, Times::UntilCleared);
    client.send([request("PING"), request("GET a"), request("PING")].concat()).await;
    for expected in ["+PONG\r\n", frame, "_\r\n", "+PONG\r\n"] {
        assert_eq!(client.reply().await, expected);
    }
    assert_eq!(old.ask("GET a").await, "$-1\r\n");
    assert_eq!(rule.struck(), 1);
    old.hears_nothing().await;
}
