//! How many connections there are, how many there may be, and whether any was turned away.

use super::finding::{Finding, Topic};
use super::visit::Visit;

/// Hundredths of what is allowed from which on somebody should look.
const TIGHT: u64 = 80;

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else { return Vec::new() };
    let open = info.count("connected_clients");
    // Before Redis 7 it is told as a setting only.
    let setting = || visit.setting("maxclients").and_then(|it| it.parse().ok());
    let limit = info.number("maxclients").or_else(setting);
    let remedy = "raise maxclients, or lower pool_size; each process opens so many to each server";
    let mut found = Vec::new();
    let rejected = visit.count("rejected_connections");
    if rejected > 0 {
        let text = format!("{rejected} connections were turned away since the server's start");
        found.push(Finding::warning(Topic::Connections, text).remedy(remedy));
    }
    found.push(match limit {
        Some(limit) if limit > 0 && open.saturating_mul(100) / limit >= TIGHT => {
            let text = format!("{open} of {limit} connections are open");
            Finding::warning(Topic::Connections, text).remedy(remedy)
        }
        Some(limit) => Finding::ok(Topic::Connections, format!("{open} of {limit} are open")),
        None => Finding::ok(Topic::Connections, format!("{open} are open")),
    });
    found
}
