//! The names of events, the same in logs, metrics and documentation. A new event is given its name
//! here, in both places; the tests hold them together.

use super::Event;

impl Event<'_> {
    /// The names of all events, in the order in which they are defined.
    ///
    /// For whoever has to know them before one happens: a counter that begins with zero shows its
    /// first event, one that begins with its first event does not.
    pub const NAMES: &'static [&'static str] = &[
        "asked",
        "found",
        "rejected",
        "malformed_ticket",
        "too_many_cookies",
        "created",
        "committed",
        "not_committed",
        "rotated",
        "moved_in",
        "signed_in",
        "destroyed",
        "revoked",
        "revocation_pending",
        "revoked_before",
        "sign_in_refused",
        "limit_not_kept",
        "destroy_pending",
        "destroy_applied",
        "destroy_expired",
        "journal_full",
        "changes_lost",
        "breaker_changed",
        "connection_lost",
        "connection_restored",
        "primary_changed",
        "touched",
        "touch_skipped",
        "discarded",
        "plain_http",
    ];

    /// The event's name in logs and metrics, one of [`Event::NAMES`].
    ///
    /// ```
    /// use cloakroom::Event;
    ///
    /// assert_eq!(Event::TooManyCookies.name(), "too_many_cookies");
    /// assert!(Event::NAMES.contains(&"too_many_cookies"));
    /// ```
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Found { .. } => "found",
            Self::Rejected { .. } => "rejected",
            Self::MalformedTicket => "malformed_ticket",
            Self::TooManyCookies => "too_many_cookies",
            Self::Created { .. } => "created",
            Self::Committed { .. } => "committed",
            Self::NotCommitted { .. } => "not_committed",
            Self::Rotated { .. } => "rotated",
            Self::MovedIn { .. } => "moved_in",
            Self::SignedIn { .. } => "signed_in",
            Self::Destroyed { .. } => "destroyed",
            Self::Revoked { .. } => "revoked",
            Self::RevocationPending { .. } => "revocation_pending",
            Self::RevokedBefore { .. } => "revoked_before",
            Self::SignInRefused { .. } => "sign_in_refused",
            Self::LimitNotKept { .. } => "limit_not_kept",
            Self::DestroyPending { .. } => "destroy_pending",
            Self::DestroyApplied { .. } => "destroy_applied",
            Self::DestroyExpired { .. } => "destroy_expired",
            Self::JournalFull { .. } => "journal_full",
            Self::ChangesLost { .. } => "changes_lost",
            Self::BreakerChanged { .. } => "breaker_changed",
            Self::ConnectionLost { .. } => "connection_lost",
            Self::ConnectionRestored { .. } => "connection_restored",
            Self::PrimaryChanged { .. } => "primary_changed",
            Self::Touched { .. } => "touched",
            Self::TouchSkipped { .. } => "touch_skipped",
            Self::Discarded { .. } => "discarded",
            Self::PlainHttp => "plain_http",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variants as they stand in the definition, in the form that names have.
    fn defined() -> Vec<String> {
        let source = include_str!("../event.rs");
        let (_, body) = source.split_once("pub enum Event<'a> {\n").unwrap();
        let (body, _) = body.split_once("\n}\n").unwrap();
        let lines = body.lines().filter_map(|line| line.strip_prefix("    "));
        let variants = lines.filter(|line| line.starts_with(|first: char| first.is_uppercase()));
        variants.map(|line| snake_case(line.trim_end_matches([' ', '{', ',']))).collect()
    }

    fn snake_case(name: &str) -> String {
        let mut words = String::new();
        for letter in name.chars() {
            if letter.is_uppercase() && !words.is_empty() {
                words.push('_');
            }
            words.extend(letter.to_lowercase());
        }
        words
    }

    #[test]
    fn every_event_is_in_the_list_of_names() {
        assert_eq!(defined(), Event::NAMES);
    }

    #[test]
    fn an_event_is_called_as_the_list_says() {
        let source = include_str!("name.rs");
        let arms = source.lines().filter_map(|line| line.trim().strip_prefix("Self::"));
        let arms = arms.filter_map(|arm| arm.trim_end_matches(',').split_once(" => "));
        let mut count = 0;
        for (variant, name) in arms {
            let variant = variant.trim_end_matches(" { .. }");
            assert_eq!(format!("\"{}\"", snake_case(variant)), name);
            count += 1;
        }
        assert_eq!(count, Event::NAMES.len());
    }
}
