//! The laws that every Cloakroom storage and web adapter must pass, and the servers to test them on.
