//! Which of a builder's settings make no sense, each with what to write instead.

use std::time::Duration;

use cloakroom::Problem;

use super::RedisSessionStorageBuilder;

const MAX_POOL_SIZE: usize = 1024;

const SHORTEST_HEARTBEAT: Duration = Duration::from_millis(10);
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(60);

/// No session can be set with an idle timeout outside of these two.
const SHORTEST_TTL: Duration = Duration::from_millis(1);
const LONGEST_TTL: Duration = Duration::from_secs(400 * 24 * 60 * 60);

impl RedisSessionStorageBuilder {
    pub(super) fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !(1..=MAX_POOL_SIZE).contains(&self.pool_size) {
            let message = format!("{} is not between 1 and {MAX_POOL_SIZE}", self.pool_size);
            problems.push(Problem::new("pool_size", message));
        }
        for (field, timeout) in [
            ("connection_timeout", self.connection_timeout),
            ("command_timeout", self.command_timeout),
            ("load_timeout", self.load_timeout),
            ("commit_timeout", self.commit_timeout),
            ("touch_timeout", self.touch_timeout),
            ("destroy_timeout", self.destroy_timeout),
        ] {
            if timeout.is_zero() {
                problems.push(Problem::new(field, "zero would fail every call; use 3s"));
            }
        }
        if !(SHORTEST_HEARTBEAT..=LONGEST_HEARTBEAT).contains(&self.heartbeat_interval) {
            let message = "not between 10 ms and 1 min; use 500ms";
            problems.push(Problem::new("heartbeat_interval", message));
        }
        if self.max_in_flight == 0 {
            problems.push(Problem::new("max_in_flight", "zero would refuse every call; use 1024"));
        }
        let longest = self.destroy_timeout.min(self.command_timeout);
        if self.replicas.count > 0 && self.replicas.limit >= longest {
            let message = "replicas must be waited for less long than destroy_timeout and command_timeout; use 200ms";
            problems.push(Problem::new("replica_timeout", message));
        }
        problems.extend(self.breaker.check());
        if let Some(near_cache) = &self.near_cache {
            problems.extend(near_cache.problems(self.heartbeat_interval));
        }
        if self.default_ttl < SHORTEST_TTL {
            let message = "less than 1 ms would end every session at once; use 30m";
            problems.push(Problem::new("default_ttl", message));
        }
        if self.default_ttl > LONGEST_TTL {
            let message = "more than 400 days, the longest life of a session; use 30m";
            problems.push(Problem::new("default_ttl", message));
        }
        if self.max_session_bytes < 256 {
            let message = "a record alone takes at least 132 bytes; use at least 256";
            problems.push(Problem::new("max_session_bytes", message));
        }
        problems
    }
}
