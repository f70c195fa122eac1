//! Text that visitors have written, as a terminal may show it: as the page for operators does.

pub(crate) use cloakroom_admin::{shortened, shown};
