//! Placeholder until the parser arrives.
use redis::Value;
#[derive(Clone, Debug)]
pub(crate) struct ServerInfo {
    run: String,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    Replica,
}
impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Replica => "replica",
        }
    }
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let Value::Array(parts) = value else { return None };
        match parts.first()? {
            Value::BulkString(name) if name == b"master" => Some(Self::Primary),
            _ => Some(Self::Replica),
        }
    }
}
impl ServerInfo {
    pub(crate) fn read(value: Value) -> Option<Self> {
        let text: String = redis::from_redis_value(value).ok()?;
        let run = text.lines().find_map(|l| l.strip_prefix("run_id:"))?.to_owned();
        Some(Self { run })
    }
    pub(crate) fn check(&self) -> Result<(), String> {
        Ok(())
    }
    pub(crate) fn has_same_history(&self, other: &Self) -> bool {
        self.run == other.run
    }
    pub(crate) fn role(&self) -> Role {
        Role::Primary
    }
    pub(crate) fn version(&self) -> String {
        String::new()
    }
    pub(crate) fn replicas(&self) -> Option<u32> {
        None
    }
    pub(crate) fn memory_policy(&self) -> Option<&str> {
        None
    }
    pub(crate) fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
