//! What a storage does while its server is frozen, dead, silent, forgetful or takes no writes, and
//! how soon it does its work again. The figures of the same, under more load and in more rounds, come
//! from the programs in `benches`.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod forgotten_scripts;
mod frozen;
mod killed;
mod no_writes;
mod sign_ins;
mod silent;
mod support;
