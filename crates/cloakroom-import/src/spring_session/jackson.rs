//! JSON as Spring's serialisers write it: collections and numbers say of what class they are. What
//! only says so of Java's own classes is taken off.

use serde_json::Value;

const CLASS: &str = "@class";

/// The same value without the names of Java's own classes. `["java.util.ArrayList", [1]]` is `[1]`,
/// and a map loses its `@class`; an object of the application keeps it.
pub(super) fn untyped(value: Value) -> Value {
    match value {
        Value::Array(mut items) => match items.as_slice() {
            [Value::String(class), _] if is_javas(class) => {
                items.pop().map_or(Value::Null, untyped)
            }
            _ => items.into_iter().map(untyped).collect(),
        },
        Value::Object(mut fields) => {
            if fields.get(CLASS).and_then(Value::as_str).is_some_and(is_javas) {
                fields.remove(CLASS);
            }
            fields.into_iter().map(|(name, value)| (name, untyped(value))).collect()
        }
        value => value,
    }
}

fn is_javas(class: &str) -> bool {
    ["java.util.", "java.lang.", "java.math."].iter().any(|package| class.starts_with(package))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_names_javas_own_classes_is_plain_json_afterwards() {
        let typed = json!({
            "@class": "java.util.HashMap",
            "list": ["java.util.ArrayList", ["a", ["java.lang.Long", 7]]],
            "cart": { "@class": "shop.Cart", "items": ["java.util.Set", []] },
            "pair": ["a", "b"],
        });
        let plain = json!({
            "list": ["a", 7],
            "cart": { "@class": "shop.Cart", "items": [] },
            "pair": ["a", "b"],
        });
        assert_eq!(untyped(typed), plain);
    }
}
