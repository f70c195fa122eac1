//! Settings of the server that decide what happens when something breaks. They are looked at and never
//! changed.

use super::finding::{Finding, Topic};
use super::visit::Visit;

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    if visit.settings.is_none() {
        return match visit.line.end() {
            Some(_) => Vec::new(),
            None => vec![Finding::hidden(Topic::Settings, "+config|get")],
        };
    }
    let mut found = Vec::new();
    if visit.setting("tcp-keepalive") == Some("0") {
        found.push(
            Finding::info(Topic::Settings, "tcp-keepalive is off")
                .because("connections of machines that have vanished stay open and count")
                .remedy("`CONFIG SET tcp-keepalive 300`; `CONFIG REWRITE` keeps it"),
        );
    }
    if visit.setting("disable-thp") == Some("no") {
        found.push(
            Finding::warning(Topic::Settings, "transparent huge pages are left on")
                .because("after each dump the first writes take many times as long")
                .remedy("write disable-thp yes into the server's file, and restart it"),
        );
    }
    if found.is_empty() {
        let idle = match visit.setting("timeout") {
            None | Some("0") => "idle connections are kept".to_owned(),
            Some(seconds) => format!("connections idle for {seconds} s are closed"),
        };
        found.push(Finding::ok(Topic::Settings, format!("{idle}, vanished ones are noticed")));
    }
    found
}
