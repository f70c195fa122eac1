//! [`Relay`]: stands between visitors and a node, and notes down what visitors are answered: tickets
//! from `Set-Cookie`, and all the rest to be searched for them.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// How a ticket is handed out.
const HANDED_OUT: &[u8] = b"set-cookie: __Host-id=";

/// All answers so far, each connection's for itself. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct Answers(Arc<Mutex<Vec<Vec<u8>>>>);

/// Passes everything on, until it is dropped.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    task: AbortHandle,
}

impl Relay {
    pub(crate) async fn before(node: SocketAddr, answers: &Answers) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, answers) = (listener.local_addr().unwrap(), answers.clone());
        let task = tokio::spawn(async move {
            while let Ok((visitor, _)) = listener.accept().await {
                tokio::spawn(pass_on(visitor, node, answers.clone()));
            }
        });
        Self { address, task: task.abort_handle() }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends when either side hangs up.
async fn pass_on(visitor: TcpStream, node: SocketAddr, answers: Answers) {
    let Ok(server) = TcpStream::connect(node).await else { return };
    let (mut asked, mut answered) = visitor.into_split();
    let (mut answering, mut asking) = server.into_split();
    let connection = answers.begin();
    let answer = async {
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = answering.read(&mut bytes).await {
            answers.append(connection, &bytes[..length]);
            if answered.write_all(&bytes[..length]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = answer => {}
        _ = copy(&mut asked, &mut asking) => {}
    }
}

impl Answers {
    /// Notes down an answer that nobody was given.
    pub(crate) fn let_slip(&self, text: &str) {
        let connection = self.begin();
        self.append(connection, text.as_bytes());
    }

    /// Every ticket that was handed out, each once, and everything that was answered beside them.
    pub(crate) fn read(&self) -> (Vec<String>, Vec<u8>) {
        let (mut tickets, mut rest) = (Vec::new(), Vec::new());
        for answer in self.0.lock().unwrap().iter() {
            let mut answer = answer.as_slice();
            while let Some(at) = answer.windows(HANDED_OUT.len()).position(is_handed_out) {
                let (before, behind) = answer.split_at(at + HANDED_OUT.len());
                let end = behind.iter().position(|byte| *byte == b';').unwrap_or(behind.len());
                tickets.push(String::from_utf8(behind[..end].to_vec()).unwrap());
                rest.extend_from_slice(before);
                answer = &behind[end..];
            }
            rest.extend_from_slice(answer);
            rest.extend_from_slice(b"\n\n");
        }
        tickets.retain(|ticket| !ticket.is_empty());
        tickets.sort();
        tickets.dedup();
        (tickets, rest)
    }

    fn begin(&self) -> usize {
        let mut answers = self.0.lock().unwrap();
        answers.push(Vec::new());
        answers.len() - 1
    }

    fn append(&self, connection: usize, bytes: &[u8]) {
        self.0.lock().unwrap()[connection].extend_from_slice(bytes);
    }
}

fn is_handed_out(bytes: &[u8]) -> bool {
    bytes.eq_ignore_ascii_case(HANDED_OUT)
}
