//! Connections that are kept for the next request to the same origin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use url::Url;

use super::connect::BoxedStream;
use super::exchange::ClientConnection;
use super::origin::is_same_origin;

#[derive(Clone, Default)]
pub(crate) struct IdleConnections {
    list: Arc<Mutex<IdleList>>,
    /// The time after which an idle connection is closed and not used again; without a limit, an idle connection stays as
    /// long as the client.
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

impl IdleList {
    /// Closes the connections whose time is over. Returns when the next one is over.
    fn close_old(&mut self, limit: Duration) -> Option<Instant> {
        self.connections.retain(|idle| idle.since.elapsed() < limit);
        // The connections are in the order of `since`.
        self.connections.first().map(|idle| idle.since + limit)
    }
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
                let mut list = lock(&self.list);
                if let Some(limit) = self.limit {
                    list.close_old(limit);
                }
                let index = list.connections.iter().rposition(|idle| is_same_origin(&idle.url, url))?;
                list.connections.remove(index).connection
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
        let next = {
            let mut list = lock(&list);
            let Some(next) = list.close_old(limit) else {
                list.is_timed = false;
                return;
            };
            next
        };
        sleep_until(next).await;
    }
}

fn lock(list: &Mutex<IdleList>) -> MutexGuard<'_, IdleList> {
    // A panic leaves a list of whole connections all the same.
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::sleep;

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

    #[tokio::test(start_paused = true)]
    async fn no_connection_outlives_the_limit_whenever_it_was_kept() {
        let url: Url = "http://localhost/".parse().unwrap();
        let idle = IdleConnections::new(Some(Duration::from_secs(1)));
        let (first, _first_peer) = duplex(64);
        let (second, _second_peer) = duplex(64);
        idle.keep(&url, ClientConnection::new(Box::new(first)));
        sleep(Duration::from_millis(900)).await;
        idle.keep(&url, ClientConnection::new(Box::new(second)));
        sleep(Duration::from_millis(1050)).await;
        assert!(idle.take(&url).await.is_none(), "1050 ms is over the limit");
        assert_eq!(idle.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_over_the_limit_is_not_taken_before_the_timer_has_run() {
        let url: Url = "http://localhost/".parse().unwrap();
        let idle = IdleConnections::new(Some(Duration::from_secs(1)));
        lock(&idle.list).is_timed = true;
        let (near, _far) = duplex(64);
        idle.keep(&url, ClientConnection::new(Box::new(near)));
        sleep(Duration::from_secs(1)).await;
        assert!(idle.take(&url).await.is_none());
    }
}
