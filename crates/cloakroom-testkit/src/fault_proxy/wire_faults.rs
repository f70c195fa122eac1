//! The faults of [`FaultProxy`] that strike connections and bytes, whatever these mean. Each is in
//! force when its method returns, for everything sent from then on, and stays until it is ordered
//! otherwise or healed.

use std::io;
use std::sync::atomic::Ordering;

use super::FaultProxy;
use super::conditions::{Cut, Flow, Latency, Pace};
use super::scope::{Direction, End, Scope};

impl FaultProxy {
    /// Hands everything on so much later than it came. [`Latency::NONE`] ends it.
    pub fn delay(&self, scope: Scope, direction: Direction, latency: Latency) {
        self.inside.links.change(scope, |wire| {
            wire.change(direction, |way| way.latency = latency);
        });
    }

    /// Limits the pieces and the speed in which bytes are handed on. [`Pace::FREE`] ends it.
    pub fn pace(&self, scope: Scope, direction: Direction, pace: Pace) {
        self.inside.links.change(scope, |wire| wire.change(direction, |way| way.pace = pace));
    }

    /// Lets connections go silent: they stay open and nothing passes, as behind a firewall that
    /// has forgotten them. With [`Scope::All`] and [`Scope::New`] new connections are accepted,
    /// and nobody says anything.
    ///
    /// What is sent meanwhile is kept and arrives after [`heal`](Self::heal), as TCP would send it
    /// again. A server's end does not reach the client before that; a client's end does reach the
    /// server at once, so that silent connections do not pile up there.
    pub fn black_hole(&self, scope: Scope, direction: Direction) {
        self.inside.links.change(scope, |wire| {
            wire.change(direction, |way| way.flow = Flow::BlackHole);
        });
    }

    /// Tells the receiver of one direction that nothing more comes (a TCP FIN), and drops what
    /// comes after all, while the other direction works. A Redis server ends such a connection.
    pub fn half_close(&self, scope: Scope, direction: Direction) {
        self.inside.links.change(scope, |wire| {
            wire.change(direction, |way| way.flow = Flow::HalfClosed);
        });
    }

    /// Resets connections (a TCP RST to both sides). With [`Scope::All`] and [`Scope::New`] new
    /// connections are accepted and reset, until they are healed.
    pub fn reset(&self, scope: Scope) {
        self.inside.links.change(scope, |wire| wire.end = Some(End::Reset));
    }

    /// Ends connections in the orderly way (a TCP FIN to both sides), otherwise like
    /// [`reset`](Self::reset).
    pub fn close(&self, scope: Scope) {
        self.inside.links.change(scope, |wire| wire.end = Some(End::Close));
    }

    /// Lets `after` more bytes pass on each connection, and ends it with the last of them; with 0,
    /// when the first byte is due. On new connections the count begins with their first byte.
    /// [`Direction::Both`] counts each direction for itself.
    ///
    /// To cut one certain request or reply see [`cut_requests`](Self::cut_requests) and
    /// [`cut_replies`](Self::cut_replies).
    pub fn cut(&self, scope: Scope, direction: Direction, after: u64, end: End) {
        let number = self.inside.cuts.fetch_add(1, Ordering::SeqCst) + 1;
        let cut = Some(Cut { number, after, end });
        self.inside.links.change(scope, |wire| wire.change(direction, |way| way.cut = cut));
    }

    /// Ends all faults of these connections that stand in the methods above. What was kept in a
    /// black hole arrives now; a connection that was closed stays closed.
    pub fn heal(&self, scope: Scope) {
        self.inside.links.heal(scope);
    }

    /// Refuses new connections, as a machine without a server does. Open ones are left alone.
    pub fn refuse_connections(&self) {
        self.inside.gate.refuse_connections();
    }

    /// Accepts new connections again.
    ///
    /// # Errors
    /// Where the system gives the proxy no listening socket.
    pub fn accept_connections(&self) -> io::Result<()> {
        self.inside.gate.accept_connections()
    }
}
