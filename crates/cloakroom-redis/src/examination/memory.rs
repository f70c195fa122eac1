//! How much of the memory is taken, and whether sessions are given up when there is no more.

use super::facts::{Facts, size};
use super::finding::{Finding, Topic};
use super::visit::Visit;

/// Shares of the memory, in hundredths, from which on somebody should look.
const TIGHT: u64 = 75;
const FULL: u64 = 90;

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else {
        return vec![
            Finding::hidden(Topic::Eviction, "+info"),
            Finding::hidden(Topic::Memory, "+info"),
        ];
    };
    let mut found = eviction(info);
    found.push(used(info));
    found
}

fn eviction(info: &Facts) -> Vec<Finding> {
    let Some(policy) = info.text("maxmemory_policy") else {
        let text = "the server does not tell what it does when its memory is full";
        return vec![Finding::info(Topic::Eviction, text)];
    };
    let remedy = "`CONFIG SET maxmemory-policy noeviction`; `CONFIG REWRITE` keeps it";
    let mut found = vec![if policy == "noeviction" {
        Finding::ok(Topic::Eviction, "noeviction: a full server refuses instead of forgetting")
    } else if info.count("maxmemory") > 0 {
        let text = format!("{policy}: live sessions are given up when the memory is full");
        Finding::error(Topic::Eviction, text).remedy(remedy)
    } else {
        let text = format!("{policy}, which takes effect as soon as somebody sets maxmemory");
        Finding::warning(Topic::Eviction, text).remedy(remedy)
    }];
    let evicted = info.count("evicted_keys");
    if evicted > 0 {
        let text = format!("{evicted} keys were evicted since the server's start");
        found.push(Finding::warning(Topic::Eviction, text).remedy(
            "`CONFIG SET maxmemory-policy noeviction`, and give the server more memory; \
                     `CONFIG REWRITE` keeps it",
        ));
    }
    found
}

fn used(info: &Facts) -> Finding {
    let (used, limit) = (info.count("used_memory"), info.count("maxmemory"));
    if limit == 0 {
        return unbounded(info, used);
    }
    let share = used.saturating_mul(100) / limit;
    let text = format!("{} of {} are taken ({share} %)", size(used), size(limit));
    let remedy = "raise maxmemory, or shorten the idle timeout";
    match share {
        FULL.. => Finding::error(Topic::Memory, text).remedy(remedy),
        TIGHT.. => Finding::warning(Topic::Memory, text).remedy(remedy),
        _ => Finding::ok(Topic::Memory, text),
    }
}

fn unbounded(info: &Facts, used: u64) -> Finding {
    let why = "when the machine's memory is full, its system ends the server";
    let remedy = "set maxmemory (`CONFIG SET maxmemory 2gb`) to what the machine can spare";
    let machine = info.count("total_system_memory");
    let taken = info.count("used_memory_rss").max(used);
    if machine > 0 && taken.saturating_mul(100) / machine >= TIGHT {
        let text = format!(
            "{} of the machine's {} are taken, without a bound",
            size(taken),
            size(machine)
        );
        return Finding::warning(Topic::Memory, text).because(why).remedy(remedy);
    }
    Finding::info(Topic::Memory, format!("{} are taken, without a bound", size(used)))
        .because(why)
        .remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examination::Severity;

    fn severities(text: &str) -> Vec<Severity> {
        let facts = Facts::parse(text);
        let mut found = eviction(&facts);
        found.push(used(&facts));
        found.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn a_full_server_is_told_before_it_is_full() {
        use Severity::{Error, Info, Ok, Warning};
        for (used, expected) in [(74, Ok), (75, Warning), (89, Warning), (90, Error), (101, Error)]
        {
            let text = format!("maxmemory_policy:noeviction\nmaxmemory:100\nused_memory:{used}");
            assert_eq!(severities(&text), [Ok, expected], "{used}");
        }
        let of_the_machine = |rss| {
            format!("maxmemory_policy:noeviction\nused_memory_rss:{rss}\ntotal_system_memory:100")
        };
        assert_eq!(severities(&of_the_machine(74)), [Ok, Info]);
        assert_eq!(severities(&of_the_machine(75)), [Ok, Warning]);
    }

    #[test]
    fn what_was_evicted_is_told_whatever_the_policy_is_now() {
        use Severity::{Error, Info, Ok, Warning};
        let text = "maxmemory_policy:noeviction\nevicted_keys:3\nmaxmemory:100";
        assert_eq!(severities(text), [Ok, Warning, Ok]);
        assert_eq!(severities("maxmemory_policy:volatile-ttl\nmaxmemory:100"), [Error, Ok]);
        assert_eq!(severities("maxmemory_policy:allkeys-lru"), [Warning, Info]);
    }
}
