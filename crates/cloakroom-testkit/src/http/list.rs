//! The lists of scenarios, and the macros that make an adapter's tests of them. A scenario that is not
//! listed here is not run.
//!
//! Each list is a macro that hands its scenarios on to another one: one that makes a test of each, or
//! one that runs all of them in turn.

/// Makes one test of each scenario.
///
/// `$start` names an `async fn() -> impl Site`; see [`http`](crate::http) for what it must serve.
/// The crate that uses this needs `tokio` with its macros.
#[macro_export]
macro_rules! http_scenarios {
    ($start:path) => {
        $crate::http_scenario_list! { http_scenario_tests $start }
    };
}

/// Runs all scenarios of [`http_scenarios!`](crate::http_scenarios) in turn, for a test that wants to
/// look at all of it afterwards.
///
/// `$start` is as there; `$finish` names an `async fn(impl Site)` that takes the site of each.
#[macro_export]
macro_rules! run_http_scenarios {
    ($start:path, $finish:path) => {
        $crate::http_scenario_list! { http_scenario_run $start, $finish }
    };
}

/// Makes one test of each scenario in which Redis fails.
///
/// `$start` names an `async fn(&RedisServer) -> impl Site` whose storages have the command timeout
/// [`OUTAGE_COMMAND_TIMEOUT`](crate::http::OUTAGE_COMMAND_TIMEOUT).
#[macro_export]
macro_rules! http_outage_scenarios {
    ($start:path) => {
        $crate::http_outage_scenario_list! { http_outage_scenario_tests $start }
    };
}

/// Runs all scenarios of [`http_outage_scenarios!`](crate::http_outage_scenarios) in turn, as
/// [`run_http_scenarios!`](crate::run_http_scenarios) does.
#[macro_export]
macro_rules! run_http_outage_scenarios {
    ($start:path, $finish:path) => {
        $crate::http_outage_scenario_list! { http_outage_scenario_run $start, $finish }
    };
}

/// Makes one test of each scenario in which the storage's server is ill.
///
/// `$start` names an `async fn(AilingStorage) -> impl Site`.
#[macro_export]
macro_rules! http_illness_scenarios {
    ($start:path) => {
        $crate::http_illness_scenario_list! { http_illness_scenario_tests $start }
    };
}

/// Runs all scenarios of [`http_illness_scenarios!`](crate::http_illness_scenarios) in turn, as
/// [`run_http_scenarios!`](crate::run_http_scenarios) does.
#[macro_export]
macro_rules! run_http_illness_scenarios {
    ($start:path, $finish:path) => {
        $crate::http_illness_scenario_list! { http_illness_scenario_run $start, $finish }
    };
}

/// Makes one test of each scenario in which visitors come with the cookie of another library.
///
/// `$start` names an `async fn() -> (impl Site, Moving)`, whose engines have a
/// [`SealedCookie`](crate::http::SealedCookie) and whose [`Moving`](crate::http::Moving) imports into
/// their storage. With `clock` behind it, that one's clock can be moved.
#[macro_export]
macro_rules! http_moving_in_scenarios {
    ($start:path) => {
        $crate::http_moving_in_scenario_list! { http_moving_in_scenario_tests $start }
    };
    ($start:path, clock) => {
        $crate::http_moving_in_scenarios!($start);
        $crate::http_moving_in_scenario_tests! {
            ($start)
            an_old_cookie_is_dead_after_a_minute
            a_session_that_has_expired_since_does_not_move_in
        }
    };
}

/// Runs all scenarios of [`http_moving_in_scenarios!`](crate::http_moving_in_scenarios) that need no
/// clock in turn, as [`run_http_scenarios!`](crate::run_http_scenarios) does.
#[macro_export]
macro_rules! run_http_moving_in_scenarios {
    ($start:path, $finish:path) => {
        $crate::http_moving_in_scenario_list! { http_moving_in_scenario_run $start, $finish }
    };
}

/// The scenarios of one node and of two.
#[doc(hidden)]
#[macro_export]
macro_rules! http_scenario_list {
    ($then:ident $($argument:tt)*) => {
        $crate::$then! {
            ($($argument)*)
            one {
                a_visit_creates_nothing
                a_cookie_is_set_only_when_the_ticket_changes
                an_equal_value_is_not_a_change
                the_applications_own_headers_stay
                an_optional_session_says_whether_there_is_one
                an_unknown_ticket_is_taken_away
                an_unknown_ticket_is_never_adopted
                a_message_is_shown_once
                signing_in_ends_the_old_ticket
                a_late_write_does_not_take_the_new_ticket_away
                every_sign_in_changes_the_ticket
                a_rotation_ends_the_old_ticket
                being_remembered_outlives_the_browser
                another_browser_cannot_use_the_ticket
                a_strangers_forwarding_header_does_not_count
                a_message_after_a_logout_travels_under_a_new_ticket
                a_logout_survives_a_client_that_disconnects
                a_logout_survives_a_server_error
                a_logout_survives_a_panic
                a_server_error_discards_the_changes
                every_other_status_keeps_the_changes
                an_error_of_the_handler_counts_as_its_status
                a_sign_in_that_fails_signs_nobody_in
                a_panic_changes_nothing
                an_oversized_session_is_refused_and_keeps_what_it_held
                a_streamed_body_reads_the_session_and_cannot_change_it
                a_commit_does_not_wait_for_the_end_of_the_body
                a_client_that_leaves_during_the_body_undoes_nothing
                a_client_that_disconnects_leaves_no_half_of_a_write
                visitors_on_one_connection_do_not_share_a_session
                garbage_of_a_tickets_length_is_no_ticket
                a_malformed_neighbour_does_not_cost_the_session
                bytes_that_are_no_text_are_no_ticket
                a_ticket_under_another_name_is_not_ours
                a_hundred_cookies_of_our_name_are_survived
                a_huge_cookie_header_is_survived
            }
            two {
                a_session_follows_the_visitor_to_another_node
                a_page_that_must_be_sure_sees_what_another_node_has_written
                a_slow_write_is_refused_after_a_sign_in
                a_logout_is_final
                a_slow_write_does_not_undo_a_logout
                a_slow_sign_in_does_not_undo_a_logout
                fifty_parallel_writers_all_keep_their_fields
                fifty_parallel_updates_lose_no_increment
            }
        }
    };
}

/// The scenarios in which Redis fails.
#[doc(hidden)]
#[macro_export]
macro_rules! http_outage_scenario_list {
    ($then:ident $($argument:tt)*) => {
        $crate::$then! {
            ($($argument)*)
            a_dead_redis_is_never_mistaken_for_no_session
            a_visitor_without_a_ticket_can_look_around_without_redis
            a_route_that_ignores_the_session_needs_no_redis
            a_frozen_redis_is_waited_for_no_longer_than_the_command_timeout
            a_commit_into_a_frozen_redis_ends_within_the_command_timeout
            a_redis_that_dies_before_the_commit_turns_the_answer_into_503
            a_sign_in_that_redis_did_not_take_hands_out_no_ticket
            a_logout_that_redis_did_not_take_says_so
        }
    };
}

/// The scenarios in which the storage's server is ill.
#[doc(hidden)]
#[macro_export]
macro_rules! http_illness_scenario_list {
    ($then:ident $($argument:tt)*) => {
        $crate::$then! {
            ($($argument)*)
            a_pending_logout_is_told_as_pending_and_takes_the_cookie_away
            a_handler_that_waits_for_its_logout_words_its_own_answer
            a_pending_logout_does_not_cover_up_a_server_error
            a_visitor_signs_out_while_nothing_can_be_loaded
            an_old_ticket_that_is_signed_out_unseen_ends_nobodys_session
            a_logout_that_nobody_keeps_is_refused_and_the_ticket_stays
            a_public_route_knows_unavailable_from_anonymous
            a_best_effort_answer_goes_out_without_its_changes
            whatever_is_asked_of_an_ill_storage_the_ticket_stays
            a_node_stays_alive_and_ready_without_its_storage
        }
    };
}

/// The scenarios in which visitors come with another library's cookie, on any clock.
#[doc(hidden)]
#[macro_export]
macro_rules! http_moving_in_scenario_list {
    ($then:ident $($argument:tt)*) => {
        $crate::$then! {
            ($($argument)*)
            an_old_cookie_gives_way_to_a_ticket
            parallel_first_requests_sign_nobody_out
            a_forged_old_cookie_opens_nothing
            an_unknown_old_cookie_stays_until_a_ticket_takes_its_place
            an_answer_that_was_lost_costs_nobody_the_session
            a_failure_at_the_end_costs_nobody_the_session
            a_page_without_a_session_moves_nobody
            a_logout_ends_what_has_moved_in_for_good
            a_sign_in_ends_the_old_cookie_at_once
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_moving_in_scenario_tests {
    (($start:path) $($scenario:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $scenario() {
            let (site, moving) = $start().await;
            let [one, other] = $crate::http::Site::nodes(&site);
            $crate::http::scenarios::$scenario(one, other, moving).await;
        }
    )* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_moving_in_scenario_run {
    (($start:path, $finish:path) $($scenario:ident)*) => {{ $(
        let (site, moving) = $start().await;
        let [one, other] = $crate::http::Site::nodes(&site);
        ::std::boxed::Box::pin($crate::http::scenarios::$scenario(one, other, moving)).await;
        $finish(site).await;
    )* }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_scenario_tests {
    (($start:path) one { $($one:ident)* } two { $($two:ident)* }) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $one() {
                let site = $start().await;
                let [node, _] = $crate::http::Site::nodes(&site);
                $crate::http::scenarios::$one(node).await;
            }
        )*
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $two() {
                let site = $start().await;
                let [one, other] = $crate::http::Site::nodes(&site);
                $crate::http::scenarios::$two(one, other).await;
            }
        )*
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_scenario_run {
    (($start:path, $finish:path) one { $($one:ident)* } two { $($two:ident)* }) => {{
        $(
            let site = $start().await;
            let [node, _] = $crate::http::Site::nodes(&site);
            ::std::boxed::Box::pin($crate::http::scenarios::$one(node)).await;
            $finish(site).await;
        )*
        $(
            let site = $start().await;
            let [one, other] = $crate::http::Site::nodes(&site);
            ::std::boxed::Box::pin($crate::http::scenarios::$two(one, other)).await;
            $finish(site).await;
        )*
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_outage_scenario_tests {
    (($start:path) $($scenario:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $scenario() {
            let redis = $crate::RedisServer::start().await.expect("redis-server starts");
            let site = $start(&redis).await;
            let [node, _] = $crate::http::Site::nodes(&site);
            $crate::http::scenarios::$scenario(node, redis).await;
        }
    )* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_outage_scenario_run {
    (($start:path, $finish:path) $($scenario:ident)*) => {{ $(
        let redis = $crate::RedisServer::start().await.expect("redis-server starts");
        let site = $start(&redis).await;
        let [node, _] = $crate::http::Site::nodes(&site);
        ::std::boxed::Box::pin($crate::http::scenarios::$scenario(node, redis)).await;
        $finish(site).await;
    )* }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_illness_scenario_tests {
    (($start:path) $($scenario:ident)*) => { $(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $scenario() {
            let storage = $crate::AilingStorage::default();
            let site = $start(storage.clone()).await;
            let [node, _] = $crate::http::Site::nodes(&site);
            $crate::http::scenarios::$scenario(node, storage).await;
        }
    )* };
}

#[doc(hidden)]
#[macro_export]
macro_rules! http_illness_scenario_run {
    (($start:path, $finish:path) $($scenario:ident)*) => {{ $(
        let storage = $crate::AilingStorage::default();
        let site = $start(storage.clone()).await;
        let [node, _] = $crate::http::Site::nodes(&site);
        ::std::boxed::Box::pin($crate::http::scenarios::$scenario(node, storage)).await;
        $finish(site).await;
    )* }};
}

#[cfg(test)]
mod tests {
    /// Everything that the scenarios' files offer, so that none is written and never run.
    #[test]
    fn every_scenario_is_listed() {
        let list = include_str!("list.rs");
        let mut listed = 0;
        for file in [
            include_str!("scenarios/cookies.rs"),
            include_str!("scenarios/failing.rs"),
            include_str!("scenarios/illness.rs"),
            include_str!("scenarios/moving_in.rs"),
            include_str!("scenarios/outage.rs"),
            include_str!("scenarios/signing_in.rs"),
            include_str!("scenarios/signing_out.rs"),
            include_str!("scenarios/streaming.rs"),
            include_str!("scenarios/visiting.rs"),
            include_str!("scenarios/writing.rs"),
        ] {
            let functions = file.lines().filter_map(|line| line.strip_prefix("pub async fn "));
            for name in functions.filter_map(|line| line.split('(').next()) {
                assert!(list.lines().any(|line| line.trim() == name), "{name} is not listed");
                listed += 1;
            }
        }
        assert!(listed > 0);
    }
}
