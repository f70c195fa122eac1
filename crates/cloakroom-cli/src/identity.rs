//! Reads the ids of sessions that a command is told. What is none is never repeated: whoever mistakes
//! a cookie for an id has pasted a ticket, and the output may be kept.

use std::collections::HashSet;

use cloakroom::PublicId;

use crate::failure::Failure;

/// Reads ids, each once.
pub(crate) fn read_all(texts: &[String]) -> Result<Vec<PublicId>, Failure> {
    let (mut ids, mut read_before) = (Vec::with_capacity(texts.len()), HashSet::new());
    for text in texts {
        let id = read(text)?;
        if read_before.insert(id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Reads one id.
pub(crate) fn read(text: &str) -> Result<PublicId, Failure> {
    let length = text.chars().count();
    text.parse().map_err(|error| {
        Failure::misused(format!(
            "{error}, as `list` shows it; a text of {length} characters is none"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_told_twice_is_one() {
        let texts = ["0a".repeat(16), "0A".repeat(16), "0b".repeat(16)];
        let ids = read_all(&texts).unwrap();
        assert_eq!(
            ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [&*texts[0], &texts[2]]
        );
    }

    #[test]
    fn what_is_no_id_is_not_repeated() {
        let ticket = "Q29uZ3JhdHVsYXRpb25z".repeat(3);
        let refused = read(&ticket).unwrap_err().to_string();
        assert!(refused.contains("60 characters") && !refused.contains("Q29u"), "{refused}");
    }
}
