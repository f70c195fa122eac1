//! [`Wire`]: what the proxies do to bytes and answers. Each fault strikes the proxy of one application
//! node or those of all.

use std::io;
use std::time::Duration;

use cloakroom_testkit::FaultProxy;
use cloakroom_testkit::fault_proxy::{
    Direction, End, ErrorReply, FaultRule, Latency, On, Pace, Scope, Times,
};

use crate::scene::Scene;

#[derive(Clone, Copy)]
pub(crate) enum Wire {
    OpenSilent,
    AllSilent,
    Refused,
    Reset,
    Slow,
    Late,
    RepliesCut,
    RequestsCut,
    RepliesDropped,
    RepliesDoubled,
    RepliesSwapped,
    RepliesHeld,
    WritesHeld,
    Loading,
    Oom,
    Misconf,
    ReadOnly,
    NoReplicas,
    NoScript,
    Busy,
    NoAuth,
}

/// Harms one proxy or all for a while.
pub(crate) async fn strike(
    proxies: &[FaultProxy],
    wire: Wire,
    scene: &mut Scene<'_>,
) -> io::Result<()> {
    let first = scene.dice.below(proxies.len());
    let count = if scene.dice.below(3) == 0 { proxies.len() } else { 1 };
    let struck: Vec<_> = proxies.iter().cycle().skip(first).take(count).collect();
    if matches!(wire, Wire::RepliesDropped | Wire::RepliesDoubled | Wire::RepliesSwapped) {
        scene.confuses();
    }
    let mut rules = Vec::new();
    for proxy in &struck {
        rules.extend(harm(proxy, wire, scene));
    }
    scene.lasts(600..3_000).await;
    drop(rules);
    for proxy in struck {
        proxy.clear()?;
    }
    Ok(())
}

fn harm(proxy: &FaultProxy, wire: Wire, scene: &mut Scene<'_>) -> Option<FaultRule> {
    let (scope, both) = (Scope::All, Direction::Both);
    let some = Times::Percent { of_100: 1, seed: scene.dice.roll() };
    let data = On::all_but_the_handshake;
    let refuse = |on, error| Some(proxy.refuse_commands(on, error, Times::UntilCleared));
    match wire {
        Wire::OpenSilent => proxy.black_hole(Scope::OpenNow, both),
        Wire::AllSilent => proxy.black_hole(scope, both),
        Wire::Refused => {
            proxy.refuse_connections();
            proxy.reset(Scope::OpenNow);
        }
        Wire::Reset => proxy.reset(Scope::OpenNow),
        Wire::Slow => proxy.pace(scope, both, Pace::slices(16, Duration::from_millis(1))),
        Wire::Late => {
            let latency = Latency::of(Duration::from_millis(20));
            proxy.delay(scope, both, latency.with_jitter(Duration::from_millis(40)));
        }
        Wire::RepliesCut => {
            let (after, end) = (scene.dice.below(150), end(scene));
            return Some(proxy.cut_replies(data(), after, end, some));
        }
        Wire::RequestsCut => {
            let (after, end) = (scene.dice.below(150), end(scene));
            return Some(proxy.cut_requests(data(), after, end, some));
        }
        Wire::RepliesDropped => return Some(proxy.drop_replies(data(), some)),
        Wire::RepliesDoubled => return Some(proxy.duplicate_replies(data(), some)),
        Wire::RepliesSwapped => return Some(proxy.swap_replies(data(), some)),
        Wire::RepliesHeld => return Some(proxy.hold_replies(data(), some)),
        Wire::WritesHeld => return Some(proxy.hold_requests(On::writes(), some)),
        Wire::Loading => return refuse(data(), ErrorReply::Loading),
        Wire::Oom => return refuse(On::commands(["EVAL", "EVALSHA", "SET"]), ErrorReply::Oom),
        Wire::Misconf => {
            let on = On::commands(["EVAL", "EVALSHA", "SET", "DEL", "PING"]);
            return refuse(on, ErrorReply::Misconf);
        }
        Wire::ReadOnly => return refuse(On::writes(), ErrorReply::ReadOnly),
        Wire::NoReplicas => return refuse(On::writes(), ErrorReply::NoReplicas),
        Wire::NoScript => return refuse(On::commands(["EVALSHA"]), ErrorReply::NoScript),
        Wire::Busy => return refuse(data(), ErrorReply::Busy),
        Wire::NoAuth => return refuse(data(), ErrorReply::NoAuth),
    }
    None
}

fn end(scene: &mut Scene<'_>) -> End {
    [End::Reset, End::Close, End::Silence][scene.dice.below(3)]
}
