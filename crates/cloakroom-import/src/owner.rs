//! [`OwnerField`]: which field of an old session holds the user.

use serde_json::Value;

use crate::old_session::OldSession;

/// What Spring Security writes where a user would be named.
const ANONYMOUS: &str = "anonymousUser";

/// A path to the user's name in an old session: names with dots between them. Names may hold dots
/// themselves.
///
/// | set by | path |
/// | --- | --- |
/// | axum-login | `axum-login.data.user_id` |
/// | actix-identity | `actix_identity.user_id` |
/// | passport | `passport.user` |
/// | Spring Security | `SPRING_SECURITY_CONTEXT.authentication.principal.username` |
///
/// A text or an integer is a user's name; anything else means that nobody is signed in. So does an
/// object on the way that says of itself that it is not `authenticated`, and the name
/// `anonymousUser`, by which Spring Security calls those who are not signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerField(String);

impl OwnerField {
    /// The field at this path.
    pub fn new(path: impl Into<String>) -> Self {
        Self(path.into())
    }

    /// The user that is signed in.
    pub fn find(&self, session: &OldSession) -> Option<String> {
        let kept = session.fields.iter().map(|(name, value)| (name.as_str(), value));
        let left = session.left_behind.iter().map(|it| (it.field.as_str(), &it.shape));
        let user = kept.chain(left).find_map(|(name, value)| named(value, below(&self.0, name)?));
        user.filter(|user| user != ANONYMOUS)
    }
}

/// What follows a name in a path; empty at its end.
fn below<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(name)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
}

fn named(value: &Value, path: &str) -> Option<String> {
    match value {
        Value::Object(fields) if fields.get("authenticated") == Some(&Value::Bool(false)) => None,
        Value::Object(fields) if !path.is_empty() => {
            fields.iter().find_map(|(name, value)| named(value, below(path, name)?))
        }
        Value::String(text) if path.is_empty() => Some(text.clone()),
        Value::Number(number) if path.is_empty() && !number.is_f64() => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::old_session::{Raw, RawValue};

    fn owner(fields: Value, path: &str) -> Option<String> {
        let Value::Object(fields) = fields else { return None };
        let raw = Raw { id: "id", value: RawValue::Text(b""), time_left: None };
        OwnerField::new(path).find(&OldSession::new(&raw, fields))
    }

    #[test]
    fn a_path_is_followed_through_names_with_dots() {
        let found =
            owner(json!({ "axum-login.data": { "user_id": 7 } }), "axum-login.data.user_id");
        assert_eq!(found.as_deref(), Some("7"));
        let found = owner(json!({ "a": { "c": 1 }, "a.b": { "c": "ada" } }), "a.b.c");
        assert_eq!(found.as_deref(), Some("ada"));
    }

    #[test]
    fn whoever_is_not_authenticated_is_nobody() {
        let context = |authenticated: bool, principal: &str| {
            let authentication = json!({ "authenticated": authenticated, "principal": principal });
            json!({ "CONTEXT": { "authentication": authentication } })
        };
        let path = "CONTEXT.authentication.principal";
        assert_eq!(owner(context(true, "ada"), path).as_deref(), Some("ada"));
        assert_eq!(owner(context(false, "ada"), path), None);
        assert_eq!(owner(context(true, "anonymousUser"), path), None);
    }

    #[test]
    fn what_is_no_name_signs_nobody_in() {
        for fields in [json!({}), json!({ "u": null }), json!({ "u": {} }), json!({ "u": 1.5 })] {
            assert_eq!(owner(fields, "u"), None);
        }
        assert_eq!(owner(json!({ "user": "ada" }), "use"), None);
        assert_eq!(owner(json!({ "u": "ada" }), "u.name"), None);
    }
}
