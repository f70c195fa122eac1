//! The laws that every [`SessionStorage`](cloakroom::SessionStorage) keeps, each an async function named after what must hold.
//!
//! Whoever writes a storage writes a [`Fixture`] for it and one line:
//!
//! ```
//! # use std::time::Duration;
//! # use cloakroom::MemorySessionStorage;
//! # use cloakroom_testkit::{ManualClock, laws::{Fixture, Settings}};
//! # #[derive(Default)]
//! # struct MyFixture(ManualClock);
//! # impl Fixture for MyFixture {
//! #     type Storage = MemorySessionStorage;
//! #     async fn open(&self, settings: &Settings) -> MemorySessionStorage {
//! #         let builder = MemorySessionStorage::builder().clock(self.0.clone());
//! #         builder.default_ttl(settings.default_ttl).build().unwrap()
//! #     }
//! #     async fn node(&self, opened: &MemorySessionStorage) -> MemorySessionStorage {
//! #         opened.clone()
//! #     }
//! #     fn unit(&self) -> Duration { Duration::from_secs(60) }
//! #     async fn pass(&self, time: Duration) { self.0.advance(time) }
//! # }
//! cloakroom_testkit::storage_laws!(MyFixture::default());
//! # fn main() {}
//! ```
//!
//! It becomes one test per law. The expression is evaluated in each of them, so no test sees
//! another one's sessions; it may hold an `.await`. A storage into which foreign bytes can come
//! implements [`RawFixture`] as well and runs [`raw_storage_laws!`](crate::raw_storage_laws).
//!
//! A law that does not hold panics, as tests do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken law fails its test by a panic")]

mod cancellation;
mod commits;
mod concurrency;
mod concurrent_sessions;
mod corruption;
mod direct;
mod direct_fingerprint;
mod direct_lifetime;
mod direct_writers;
mod expiry;
mod finality;
mod fixture;
mod inspection;
mod marks;
mod owners;
mod revocation;
mod sample;
mod signed_in;
mod touches;
mod unheard;

pub use cancellation::*;
pub use commits::*;
pub use concurrency::*;
pub use concurrent_sessions::*;
pub use corruption::*;
pub use direct::*;
pub use direct_fingerprint::*;
pub use direct_lifetime::*;
pub use direct_writers::*;
pub use expiry::*;
pub use finality::*;
pub use fixture::{Fixture, RawFixture, Settings};
pub use inspection::*;
pub use marks::*;
pub use owners::*;
pub use revocation::*;
pub use touches::*;

/// Turns every law into a test of its own, for the fixture that the expression makes.
///
/// The crate that calls it needs `tokio` with the features `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! storage_laws {
    ($fixture:expr) => {
        $crate::storage_laws! {
            @each $fixture =>
            a_dropped_creation_is_whole_or_nothing,
            a_dropped_commit_leaves_the_old_record_or_the_new_one,
            a_dropped_touch_leaves_the_payload,
            a_dropped_destroy_removes_all_or_nothing,
            dropped_loads_leave_every_later_answer_in_its_place,
            load_returns_exactly_what_was_committed,
            an_unknown_key_holds_nothing,
            a_session_above_the_size_limit_is_refused_and_changes_nothing,
            a_commit_that_expects_nothing_never_overwrites,
            a_commit_that_expects_a_record_never_creates,
            a_conflict_shows_the_newer_record_and_leaves_it_alone,
            a_record_that_was_made_again_is_another_one,
            a_commit_replaces_the_record_and_counts_on,
            a_commit_sent_again_is_applied_once,
            a_commit_sent_again_after_another_one_changes_nothing,
            of_many_commits_on_one_generation_one_is_applied,
            every_acknowledged_change_is_kept,
            concurrent_sessions_do_not_mix,
            what_is_set_is_got_until_it_is_deleted,
            new_data_replaces_and_loaded_data_merges,
            an_equal_value_is_not_a_change,
            any_text_is_a_good_name,
            stats_count_sessions_and_their_bytes,
            an_oversized_session_names_its_largest_field,
            a_decode_error_names_field_and_type_but_not_the_value,
            a_fingerprint_decides_by_its_mode_who_gets_a_session,
            a_session_without_a_fingerprint_is_accepted,
            a_mismatch_leaves_the_record_alone,
            a_session_ends_with_its_ttl,
            a_set_without_a_ttl_uses_the_default,
            a_long_ttl_holds,
            a_ttl_of_nothing_or_of_years_is_refused,
            a_read_renews_the_ttl_only_when_less_than_half_is_left,
            exists_does_not_count_as_activity,
            a_delete_is_final_against_a_stale_set,
            an_expiry_is_final_against_a_stale_set,
            parallel_writers_of_different_fields_keep_all_of_them,
            parallel_updates_lose_no_step,
            a_delete_is_final_under_in_flight_sets,
            an_expired_record_is_gone_for_everybody,
            a_session_after_an_expired_one_begins_anew,
            every_session_keeps_its_own_timeout,
            a_commit_keeps_the_absolute_deadline_unless_it_starts_a_new_one,
            a_session_from_elsewhere_keeps_its_age,
            nothing_brings_a_destroyed_record_back,
            a_destroy_says_whether_there_was_a_record,
            a_destroy_is_final_under_in_flight_writes,
            a_touch_moves_the_idle_deadline_and_nothing_else,
            a_touch_overtakes_no_commit,
            a_touched_session_outlives_its_idle_timeout,
            a_touch_never_passes_the_absolute_deadline,
            a_touch_never_shortens_a_lifetime,
            a_touch_never_creates,
            a_session_is_entered_and_settled_in_its_owners_index,
            a_session_that_signs_in_again_is_in_the_index_once,
            parallel_entries_are_refused_beyond_the_limit,
            condemning_leaves_as_many_as_allowed,
            a_session_that_is_renewed_keeps_its_place,
            an_index_has_a_capacity,
            an_entry_that_has_changed_meanwhile_stays,
            an_abandoned_sign_in_counts_once_its_time_is_over,
            the_index_does_what_the_embedded_storage_does,
            facts_show_who_and_when_and_no_value,
            a_walk_meets_every_session,
            what_was_created_before_a_moment_can_be_destroyed,
            a_mark_is_left_once,
            a_mark_ends_by_itself,
            a_mark_is_no_session,
            an_owner_finds_the_sessions_that_live,
            a_remembered_session_stays_in_its_owners_index,
            parallel_sign_ins_leave_exactly_the_limit,
            the_limit_ends_the_right_session,
            a_sign_in_that_nobody_was_told_of_takes_nobodys_place,
            a_mixed_crowd_keeps_the_limit_and_is_found,
            a_revocation_is_final_under_sign_ins_and_writes,
            an_owner_ends_other_devices_and_nobody_elses,
            everything_before_a_moment_can_be_revoked,
            only_a_sign_in_makes_a_session_fresh,
        }
    };
    (@each $fixture:expr => $($law:ident,)+) => {
        $(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                $crate::laws::$law(&$fixture).await;
            }
        )+
    };
}

/// As [`storage_laws!`](crate::storage_laws), for the laws about bytes that are no record.
#[macro_export]
macro_rules! raw_storage_laws {
    ($fixture:expr) => {
        $crate::storage_laws! {
            @each $fixture =>
            a_bit_flipped_record_is_an_error,
            a_truncated_record_is_an_error,
            bytes_that_are_no_record_are_left_as_they_are,
            a_record_of_another_session_is_an_error_and_stays,
            a_record_of_another_name_is_never_served,
        }
    };
}
