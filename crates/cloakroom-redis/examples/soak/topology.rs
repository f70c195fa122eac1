//! [`Topology`]: what a kind of set-up has to tell the run: how it starts, where clients connect, and
//! which faults it knows.

use std::io;

use cloakroom_testkit::RedisServer;

use crate::scene::Scene;

/// Servers, and what can be done to them.
pub(crate) trait Topology: Sized {
    /// One thing that is done to the servers and undone again.
    type Fault: Copy + 'static;

    const NAME: &'static str;

    /// The faults with their names.
    const FAULTS: &'static [(&'static str, Self::Fault)];

    /// How many servers an application node may keep connections to although they serve nothing at
    /// the moment. A Cluster's are remembered for 30 s after somebody has named them.
    const REMEMBERED: u64 = 0;

    /// Starts the servers.
    async fn start() -> io::Result<Self>;

    /// The URL that the application node of that number connects to.
    fn url(&self, node: usize) -> String;

    /// One of the servers with data, for its version.
    fn server(&self) -> &RedisServer;

    /// Does one fault from its beginning to its end, with its marks. In the end all servers are as
    /// healthy as before.
    async fn strike(&self, fault: Self::Fault, scene: &mut Scene<'_>) -> io::Result<()>;
}
