//! Product and version: whether sessions can be kept there, and what is known to be wrong with it.

use super::finding::{Finding, Topic};
use super::visit::Visit;
use crate::server_info::{Product, Version};

/// In which release of each line a hole in the scripts was mended (CVE-2025-49844).
const MENDED: &[(Product, (u32, u32), u32)] = &[
    (Product::Redis, (6, 2), 20),
    (Product::Redis, (7, 2), 11),
    (Product::Redis, (7, 4), 6),
    (Product::Redis, (8, 0), 4),
    (Product::Redis, (8, 2), 2),
    (Product::Valkey, (7, 2), 11),
    (Product::Valkey, (8, 0), 6),
    (Product::Valkey, (8, 1), 4),
];

pub(super) fn find(visit: &Visit<'_>) -> Vec<Finding> {
    let Some(info) = &visit.info else { return vec![Finding::hidden(Topic::Version, "+info")] };
    let about = &info.about;
    if let Err(lack) = about.check(visit.server.endpoint.name()) {
        let texts: Vec<_> = lack.problems().iter().map(|it| it.message.as_str()).collect();
        return vec![
            Finding::error(Topic::Version, texts.join("; "))
                .remedy("use Redis 6.2 or later, or Valkey"),
        ];
    }
    if about.product == Product::Other {
        return vec![
            Finding::info(Topic::Version, "it speaks the protocol and does not tell its version")
                .remedy("check that it is compatible with Redis 6.2 or later"),
        ];
    }
    let name = format!("{} {}", about.product, about.version);
    let mut found = vec![Finding::ok(Topic::Version, &name)];
    if has_the_hole(about.product, about.version) {
        found.push(
            Finding::info(
                Topic::Version,
                format!("{name} as its makers released it has a hole in its scripts"),
            )
            .because("whoever may send scripts can run programs on the server (CVE-2025-49844)")
            .remedy(
                "upgrade within the release line, unless your distribution has mended its package \
                 without a new number",
            ),
        );
    }
    found
}

fn has_the_hole(product: Product, version: Version) -> bool {
    let line = (version.major, version.minor);
    let mut lines = MENDED.iter().filter(|(of, ..)| *of == product);
    match lines.clone().find(|(_, known, _)| *known == line) {
        Some((_, _, patch)) => version.patch < *patch,
        // Lines in between were given up without a mended release; later ones never had the hole.
        None => lines.any(|(_, known, _)| line < *known),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_without_the_hole_from_the_release_that_mended_it() {
        let has =
            |product, (major, minor, patch)| has_the_hole(product, Version { major, minor, patch });
        for hole in [(6, 2, 19), (7, 0, 15), (7, 2, 10), (7, 4, 5), (8, 0, 3), (8, 2, 1)] {
            assert!(has(Product::Redis, hole), "{hole:?}");
        }
        for sound in [(6, 2, 20), (7, 2, 11), (7, 4, 6), (8, 0, 4), (8, 2, 2), (8, 4, 0)] {
            assert!(!has(Product::Redis, sound), "{sound:?}");
        }
        assert!(has(Product::Valkey, (8, 1, 3)) && !has(Product::Valkey, (9, 0, 0)));
    }
}
