//! A session as a line for people. The columns have the same width from the first line to the last,
//! since nobody knows yet what comes; what may be of any length stands at the end.

use cloakroom::SessionFacts;

use crate::description::end;
use crate::shown::shortened;
use crate::span::short;

/// What stands above the columns.
pub(crate) const HEAD: &str = "\
SESSION                           CREATED AGO  SEEN AGO   ENDS IN    ADDRESS          BROWSER                  OWNER
";

const ADDRESS: usize = 39;
const BROWSER: usize = 23;
const OWNER: usize = 64;

/// The line of one session.
pub(crate) fn line(facts: &SessionFacts) -> String {
    let or_none =
        |text: Option<&str>, width| text.map_or("-".to_owned(), |it| shortened(it, width));
    let line = format!(
        "{}  {:<11}  {:<9}  {:<9}  {:<15}  {:<BROWSER$}  {}",
        facts.id(),
        facts.age().map_or_else(|| "unknown".to_owned(), short),
        short(facts.idle()),
        short(facts.as_of().until(end(facts))),
        or_none(facts.address(), ADDRESS),
        or_none(facts.browser().as_deref(), BROWSER),
        or_none(facts.owner(), OWNER),
    );
    format!("{}\n", line.trim_end())
}
