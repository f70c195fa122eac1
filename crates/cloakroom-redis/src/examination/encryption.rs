//! Whether sessions travel encrypted where they leave this machine.

use super::finding::{Finding, Topic};
use super::reach::Reach;
use super::visit::Visit;

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let is_encrypted = visit.server.endpoint.access().is_encrypted();
    vec![match (is_encrypted, visit.reach) {
        (true, _) => Finding::ok(Topic::Encryption, "TLS, with a certificate that was checked"),
        (false, Reach::Here) => {
            Finding::ok(Topic::Encryption, "plain text, and it does not leave this machine")
        }
        (false, Reach::Beyond) => {
            Finding::warning(Topic::Encryption, "plain text, to another machine").remedy(
                "let the server speak TLS and write rediss://; plain text is for networks on which \
                 nobody else can listen",
            )
        }
    }]
}
