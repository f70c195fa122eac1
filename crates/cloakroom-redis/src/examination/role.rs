//! Whether the server is a primary that is ready, and the kind of server that the URL says it is.

use super::finding::{Finding, Topic};
use super::servers::Standing;
use super::visit::Visit;
use crate::server_info::Role;

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else { return vec![Finding::hidden(Topic::Role, "+info")] };
    let (about, name) = (&info.about, visit.server.endpoint.name());
    let mut found = Vec::new();
    if about.loading {
        found.push(
            Finding::error(Topic::Role, "it still reads its data from the disk")
                .remedy("wait until it has; until then it serves nobody"),
        );
    }
    if about.cluster && !matches!(visit.server.standing, Standing::Node(_)) {
        found.push(
            Finding::error(Topic::Role, "it is one node of a Cluster, and the others are not used")
                .remedy(format!("write redis+cluster://{name}")),
        );
    }
    match about.role {
        Role::Sentinel => {
            found
                .push(Finding::error(Topic::Role, "it is a Sentinel, and keeps no sessions").remedy(
                format!(
                    "write redis+sentinel://{name}/NAME, with the name that stands in sentinel.conf"
                ),
            ))
        }
        Role::Replica => {
            let primary = info.text("master_host").unwrap_or("?");
            let port = info.text("master_port").unwrap_or("?");
            found.push(
                Finding::error(Topic::Role, format!("it is a replica of {primary}:{port}"))
                    .because("a replica refuses every write, so nobody can sign in or out")
                    .remedy(
                        "connect to the primary, or name the Sentinels, redis+sentinel://, that \
                         know which one it is",
                    ),
            );
        }
        Role::Primary if found.is_empty() => {
            found.push(Finding::ok(Topic::Role, "it is a primary"));
        }
        _ => {}
    }
    found
}
