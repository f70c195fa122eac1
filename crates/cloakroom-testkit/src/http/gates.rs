//! [`Gates`]: where a handler of the application under test waits until the scenario lets it go on.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::watch;

/// The gates of one node, by name. Clones are the same gates; each gate is used once.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    gates: Arc<watch::Sender<HashMap<String, Gate>>>,
}

#[derive(Debug, Default)]
struct Gate {
    arrivals: usize,
    waiting: usize,
    open: bool,
}

impl Gates {
    /// Waits until the gate is open.
    pub async fn pass(&self, name: &str) {
        let _waiting = Waiting::new(self, name);
        self.until(name, |gate| gate.open).await;
    }

    /// Waits until somebody has come to the gate.
    pub async fn arrived(&self, name: &str) {
        self.until(name, |gate| gate.arrivals > 0).await;
    }

    /// Lets everybody pass.
    pub fn open(&self, name: &str) {
        self.change(name, |gate| gate.open = true);
    }

    /// Waits until whoever came to the gate has gone, by passing it or by being dropped.
    pub async fn deserted(&self, name: &str) {
        self.until(name, |gate| gate.arrivals > 0 && gate.waiting == 0).await;
    }

    async fn until(&self, name: &str, condition: impl Fn(&Gate) -> bool) {
        let mut gates = self.gates.subscribe();
        // It fails only where the sender is gone, and this value holds it.
        let _ = gates.wait_for(|gates| gates.get(name).is_some_and(&condition)).await;
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut Gate)) {
        self.gates.send_modify(|gates| change(gates.entry(name.to_owned()).or_default()));
    }
}

/// Somebody who waits; also a handler that is dropped there goes away.
struct Waiting {
    gates: Gates,
    name: String,
}

impl Waiting {
    fn new(gates: &Gates, name: &str) -> Self {
        gates.change(name, |gate| {
            gate.arrivals += 1;
            gate.waiting += 1;
        });
        Self { gates: gates.clone(), name: name.to_owned() }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.gates.change(&self.name, |gate| gate.waiting -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_comes_waits_until_the_gate_is_open() {
        let gates = Gates::default();
        let passing = tokio::spawn({
            let gates = gates.clone();
            async move { gates.pass("a").await }
        });
        gates.arrived("a").await;
        assert!(!passing.is_finished());
        gates.open("b");
        assert!(!passing.is_finished());
        gates.open("a");
        passing.await.expect("it passes");
        gates.deserted("a").await;
    }

    #[tokio::test]
    async fn whoever_is_dropped_at_the_gate_has_gone() {
        let gates = Gates::default();
        let passing = tokio::spawn({
            let gates = gates.clone();
            async move { gates.pass("a").await }
        });
        gates.arrived("a").await;
        passing.abort();
        gates.deserted("a").await;
    }
}
