//! What operators see: one file for each page, each with a template of the same name.

pub(crate) mod answer;
pub(crate) mod audit;
pub(crate) mod before;
pub(crate) mod end;
pub(crate) mod frame;
pub(crate) mod input;
pub(crate) mod moment;
pub(crate) mod overview;
pub(crate) mod row;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod sessions;
