//! Connections that are kept for the next request to the same origin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use url::Url;

use super::connect::BoxedStream;
use super::exchange::ClientConnection;
use super::origin::is_same_origin;

#[derive(Clone, Default)]
pub(crate) struct IdleConnections {
    list: Arc<Mutex<IdleList>>,
    /// The time after which an idle connection is closed; without, an idle connection stays as long as the client.
    limit: Option<Duration>,
}

#[derive(Default)]
struct IdleList {
    connections: Vec<IdleConnection>,
    /// Whether a timer is running that closes idle connections.
    is_timed: bool,
}

struct IdleConnection {
    url: Url,
    since: Instant,
    connection: ClientConnection<BoxedStream>,
}

impl IdleConnections {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        IdleConnections { limit, ..IdleConnections::default() }
    }

    pub(crate) fn keep(&self, url: &Url, connection: ClientConnection<BoxedStream>) {
        let mut list = lock(&self.list);
        list.connections.push(IdleConnection { url: url.clone(), since: Instant::now(), connection });
        if let Some(limit) = self.limit
            && !list.is_timed
        {
            list.is_timed = true;
            tokio::spawn(close_after(Arc::clone(&self.list), limit));
        }
    }

    /// The connection to the same origin that was used last, if the connection is still good.
    pub(crate) async fn take(&self, url: &Url) -> Option<ClientConnection<BoxedStream>> {
        loop {
            let mut connection = {
                let connections = &mut lock(&self.list).connections;
                let index = connections.iter().rposition(|idle| is_same_origin(&idle.url, url))?;
                connections.remove(index).connection
            };
            if connection.is_quiet().await {
                return Some(connection);
            }
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.list).connections.len()
    }
}

async fn close_after(list: Arc<Mutex<IdleList>>, limit: Duration) {
    loop {
        sleep(limit).await;
        let mut list = lock(&list);
        list.connections.retain(|idle| idle.since.elapsed() < limit);
        if list.connections.is_empty() {
            list.is_timed = false;
            return;
        }
    }
}

fn lock(list: &Mutex<IdleList>) -> MutexGuard<'_, IdleList> {
    // A panic leaves a list of whole connections all the same.
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_closed_after_its_time_and_a_used_one_is_not() {
        let url: Url = "http://localhost/".parse().unwrap();
        let idle = IdleConnections::new(Some(Duration::from_secs(1)));
        let (near, _far) = duplex(64);
        idle.keep(&url, ClientConnection::new(Box::new(near)));
        sleep(Duration::from_millis(900)).await;
        let used = idle.take(&url).await.expect("a good connection");
        idle.keep(&url, used);
        sleep(Duration::from_millis(900)).await;
        assert_eq!(idle.len(), 1);
        sleep(Duration::from_millis(1100)).await;
        assert_eq!(idle.len(), 0);
        let (near, _far) = duplex(64);
        idle.keep(&url, ClientConnection::new(Box::new(near)));
        sleep(Duration::from_millis(1100)).await;
        assert_eq!(idle.len(), 0, "the timer runs again");
    }
}
