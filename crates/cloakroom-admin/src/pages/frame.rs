//! [`Frame`]: what all pages share, the header with its links and the operator.

use crate::app::App;
use crate::assets::{self, Addresses};
use crate::door::{Admitted, Way};
use crate::mount::Mount;
use crate::shown::on_page;

/// The head and the header of a page.
pub(crate) struct Frame {
    pub(crate) mount: String,
    pub(crate) home: String,
    pub(crate) assets: &'static Addresses,
    pub(crate) place: Place,
    pub(crate) operator: Option<String>,
    /// What the sessions are called; operators alone are told.
    pub(crate) installation: Option<String>,
    /// Goes with every change.
    pub(crate) token: String,
    pub(crate) can_leave: bool,
}

/// Which page of the navigation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Overview,
    Sessions,
    Before,
    Audit,
    SignIn,
    Elsewhere,
}

impl Frame {
    /// The frame of an operator's page.
    pub(crate) fn of(app: &App, admitted: &Admitted, mount: &Mount, place: Place) -> Self {
        Self {
            operator: Some(on_page(admitted.operator.name())),
            installation: app.installation.as_deref().map(on_page),
            token: app.seal.token(&admitted.binding),
            can_leave: admitted.way == Way::Form,
            ..Self::bare(mount, place)
        }
    }

    /// The frame of a page for nobody.
    pub(crate) fn bare(mount: &Mount, place: Place) -> Self {
        Self {
            mount: mount.as_str().to_owned(),
            home: mount.home().to_owned(),
            assets: assets::addresses(),
            place,
            operator: None,
            installation: None,
            token: String::new(),
            can_leave: false,
        }
    }
}
