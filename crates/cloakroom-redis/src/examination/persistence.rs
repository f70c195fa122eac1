//! What a crash would lose: the append-only file, dumps, and whether they can be written at present.

use super::facts::Facts;
use super::finding::{Finding, Topic};
use super::visit::Visit;

/// A server that finds `appendonly yes` in its file and no append-only file begins without any data,
/// whatever dumps there are.
const AOF: &str = "`CONFIG SET appendonly yes`, `CONFIG SET appendfsync everysec` and `CONFIG REWRITE` \
                   while it runs; written into the file alone, the next start begins without any data";

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else { return vec![Finding::hidden(Topic::Persistence, "+info")] };
    let mut found = failures(info, visit.setting("stop-writes-on-bgsave-error"));
    let appends = info.text("aof_enabled") == Some("1");
    let saves = visit.setting("save").map(|save| !save.trim().is_empty());
    found.push(match (appends, visit.setting("appendfsync"), saves) {
        (true, Some("always"), _) => {
            Finding::ok(Topic::Persistence, "every write is on the disk before it is answered")
        }
        (true, Some("no"), _) => Finding::warning(
            Topic::Persistence,
            "there is an append-only file, and the system flushes it when it likes: a crash of the \
             machine loses half a minute",
        )
        .remedy("`CONFIG SET appendfsync everysec`; `CONFIG REWRITE` keeps it"),
        (true, Some(_), _) => Finding::ok(
            Topic::Persistence,
            "an append-only file is flushed each second: a crash loses a second or two",
        ),
        (true, None, _) => {
            Finding::ok(Topic::Persistence, "there is an append-only file; how often it is flushed is not told")
        }
        (false, _, Some(true)) => Finding::warning(
            Topic::Persistence,
            "dumps from time to time, and no append-only file: a crash loses what was written since \
             the last one",
        )
        .because("sign-outs since the last dump are undone, and their sessions come back")
        .remedy(AOF),
        (false, _, Some(false)) => Finding::warning(
            Topic::Persistence,
            "nothing is saved: a restart loses every session",
        )
        .because("all visitors are signed out, and replicas are emptied with the primary")
        .remedy(AOF),
        (false, _, None) => Finding::warning(
            Topic::Persistence,
            "there is no append-only file; whether dumps are made is not told",
        )
        .remedy(AOF),
    });
    found
}

/// What cannot be written at present.
fn failures(info: &Facts, stops: Option<&str>) -> Vec<Finding> {
    let failed = |name| info.text(name) == Some("err");
    let mut found = Vec::new();
    if failed("rdb_last_bgsave_status") && stops != Some("no") {
        found.push(
            Finding::error(Topic::Persistence, "the last dump failed")
                .because("a server that cannot save refuses writes, so nobody can sign in or out")
                .remedy(
                    "look into its log: usually the disk is full or the folder is not writable",
                ),
        );
    }
    if failed("aof_last_write_status") {
        found.push(
            Finding::error(Topic::Persistence, "the append-only file cannot be written")
                .because("a server that cannot save refuses writes, so nobody can sign in or out")
                .remedy("look into its log: usually the disk is full"),
        );
    } else if failed("aof_last_bgrewrite_status") {
        found.push(
            Finding::warning(Topic::Persistence, "the append-only file could not be made shorter")
                .because("it grows until the disk is full")
                .remedy("look into the server's log: usually disk or memory are too small"),
        );
    }
    found
}
